import { readFileSync, writeFileSync } from "node:fs";
import { scannerEntries } from "../server/enrich/known-scanners.ts";
import type { ScannerEntry } from "../server/enrich/scanner-entries.ts";

/*
 * Writes the table of docs/data.md from data/known-scanners.json: `bun scripts/known-scanners-table.ts`. A test fails if the
 * page is not up to date.
 */

const path = new URL("../docs/data.md", import.meta.url);
const head = "| tag | scanner | recognized by | source |\n|---|---|---|---|\n";

/** The table of docs/data.md. */
export function knownScannersTable(): string {
  return head + scannerEntries.map(rowOf).join("");
}

function rowOf(entry: ScannerEntry): string {
  const { id, name, names = [], networks = [], asNumbers = [], sources } = entry;
  const signs = [
    ...names.map((domain) => `\`${domain}\``),
    ...asNumbers.map((number) => `AS${number}`),
    ...(networks.length > 3 ? [`${networks.length} networks`] : networks.map((network) => `\`${network}\``)),
  ];
  const links = sources.map((source) => `[${new URL(source).hostname}](${source})`);
  return `| \`${id}\` | ${name} | ${signs.join(", ")} | ${links.join(", ")} |\n`;
}

function withTable(page: string): string {
  const start = page.indexOf(head);
  if (start === -1) throw new Error("docs/data.md has no table of known scanners");
  const end = page.indexOf("\n\n", start) + 1;
  return page.slice(0, start) + knownScannersTable() + page.slice(end);
}

if (import.meta.main) writeFileSync(path, withTable(readFileSync(path, "utf8")));
