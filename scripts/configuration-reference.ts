import { readFileSync, writeFileSync } from "node:fs";
import type { Key, Keys } from "../server/config/key.ts";
import { outputTypeKey, sections, tableArrays } from "../server/config/keys.ts";
import { outputDescriptors } from "../server/outputs/registry.ts";

/*
 * Writes the tables of docs/configuration.md from the tables of keys: `bun scripts/configuration-reference.ts`. A test fails
 * if the page is not up to date.
 */

const path = new URL("../docs/configuration.md", import.meta.url);

/** What the page says about each section and array of tables, by its name in brackets as in its heading. */
export function referenceTables(): ReadonlyMap<string, string> {
  const tables = Object.entries<Keys>(sections).map(
    ([section, keys]) => [`[${section}]`, tableOf(keys)] as const,
  );
  const arrays = Object.entries(tableArrays).map(
    ([name, { keys }]) => [`[[${name}]]`, tableOf(keys)] as const,
  );
  return new Map([...tables, ["[output]", outputTables()], ...arrays]);
}

/** The page with its tables replaced. @throws Error when it has no heading for a section */
export function withReferenceTables(page: string): string {
  let updated = page;
  for (const [section, table] of referenceTables()) {
    const heading = `\n## ${section}\n\n`;
    const start = updated.indexOf(heading);
    if (start === -1) throw new Error(`docs/configuration.md has no heading "## ${section}"`);
    const tableStart = updated.indexOf("|", start);
    const restOfPage = updated.slice(tableStart);
    const tableEnd = section === "[output]" ? restOfPage.indexOf("\n## ") : restOfPage.search(/\n(?!\|)/);
    updated = `${updated.slice(0, tableStart)}${table}${restOfPage.slice(tableEnd)}`;
  }
  return updated;
}

function outputTables(): string {
  const ofOutputs = outputDescriptors
    .filter(({ keys }) => Object.keys(keys).length > 0)
    .map(({ title, description, keys }) => `### ${title}\n\n${description}\n\n${tableOf(keys)}`);
  return [tableOf({ type: outputTypeKey(outputDescriptors) }), ...ofOutputs].join("\n\n").concat("\n");
}

function tableOf(keys: Keys): string {
  const rows = Object.entries(keys).map(
    ([name, key]) => `| \`${name}\` | ${defaultOf(key)} | ${code(key.range ?? "")} | ${descriptionOf(key)} |`,
  );
  return ["| key | default | allowed | description |", "|---|---|---|---|", ...rows].join("\n");
}

function defaultOf({ isRequired, defaultText }: Key<unknown>): string {
  if (isRequired) return "required";
  return defaultText === undefined ? "" : `\`${defaultText}\``;
}

function descriptionOf({ description, environment }: Key<unknown>): string {
  return code(environment === undefined ? description : `${description} ${environment} overrides it.`);
}

/** Values in quotes, lists, and names with underscores as code. */
function code(text: string): string {
  return text.replace(
    /\["[^\]]*\]|"[^"]*"|\bLOOM_SENSOR_<id>|\b[A-Za-z]+(?:_[A-Za-z]+)+|\b_bulk\b|%[Ymd]|\bsource\.domain\b/g,
    "`$&`",
  );
}

if (import.meta.main) writeFileSync(path, withReferenceTables(readFileSync(path, "utf8")));
