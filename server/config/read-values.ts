import type { TomlTable, TomlValue } from "smol-toml";
import { ConfigError } from "./config-error.ts";
import type { Key } from "./key.ts";
import { isTable, quote, type Refuse, showValue } from "./kind.ts";
import { findNearestName } from "./nearest-name.ts";
import type { KeyValues, Sections } from "./typed-values.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadValues {
  /** The values of each section, by the names of its keys in the file; defaults for the keys that are not set. */
  readonly values: Readonly<Record<string, KeyValues>>;
  /** The keys that are set, as "section.key". */
  readonly written: ReadonlySet<string>;
}

/**
 * Checks a parsed file against the table of keys.
 * @throws ConfigError on the first unknown name or value that is not allowed
 */
export function readValues(document: TomlTable, environment: Environment, sections: Sections): ReadValues {
  const values: Record<string, Record<string, unknown>> = {};
  const written = new Set<string>();
  assertKnownNames(undefined, document, sections);
  for (const [section, keys] of Object.entries(sections)) {
    const table = findTable(document, section);
    assertKnownNames(section, table, sections);
    const sectionValues: Record<string, unknown> = {};
    for (const [name, key] of Object.entries(keys)) {
      const { source, value } = findValue(table, name, key, environment);
      if (value !== undefined) written.add(`${section}.${name}`);
      sectionValues[name] = value === undefined ? key.fallback : readValue(section, source, key, value);
    }
    values[section] = sectionValues;
  }
  return { values, written };
}

/** The table of a section such as "enrichment.dns"; an empty one when the document does not have it. */
function findTable(document: TomlTable, section: string): TomlTable {
  let table = document;
  for (const name of section.split(".")) {
    const value = table[name];
    if (value === undefined) return {};
    if (!isTable(value)) {
      const found = Array.isArray(value) ? "a list" : showValue(value);
      throw new ConfigError(`config: ${section}: is ${found}; allowed: one section, [${section}]`);
    }
    table = value;
  }
  return table;
}

/** The value of a key, and the name that it was found under; undefined: the key is not set, or to a value that means this. */
function findValue(
  table: TomlTable,
  name: string,
  key: Key<unknown>,
  environment: Environment,
): { source: string; value: TomlValue | undefined } {
  if (key.environment !== undefined) {
    const value = environment[key.environment];
    if (value !== undefined && value !== "") return { source: key.environment, value };
  }
  const value = table[name];
  return { source: name, value: value === key.kind.unset ? undefined : value };
}

function readValue(section: string, source: string, key: Key<unknown>, value: TomlValue): unknown {
  const { allowed, read, show } = key.kind;
  const refuse: Refuse = (reason) => {
    const why = reason === undefined ? "" : ` (${reason})`;
    throw new ConfigError(`config: ${section}: ${source} is ${show(value)}${why}; allowed: ${allowed}`);
  };
  return read(value, refuse);
}

/** @param section undefined: the top level of the file, which has only sections */
function assertKnownNames(section: string | undefined, table: TomlTable, sections: Sections): void {
  const known = knownNames(section, sections);
  for (const [name, value] of Object.entries(table)) {
    if (known.includes(name)) continue;
    const what = isTable(value) ? "section" : "key";
    const where = section === undefined ? "config: " : `config: ${section}: `;
    throw new ConfigError(`${where}unknown ${what} ${quote(name)} (${hint(name, what, known, sections)})`);
  }
}

function hint(name: string, what: "section" | "key", known: readonly string[], sections: Sections): string {
  const homes = Object.entries(sections)
    .filter(([, keys]) => what === "key" && Object.hasOwn(keys, name))
    .map(([section]) => `[${section}]`);
  if (homes.length > 0) return `it belongs in ${homes.join(" or ")}`;
  const inner = Object.keys(sections).find((section) => section.endsWith(`.${name}`));
  const nearest = inner ?? findNearestName(name, known);
  return nearest === undefined ? `known: ${known.join(", ")}` : `did you mean "${nearest}"?`;
}

/** The keys of a section, and the sections directly within it. */
function knownNames(section: string | undefined, sections: Sections): string[] {
  const keys = Object.entries(sections).find(([name]) => name === section)?.[1] ?? {};
  const prefix = section === undefined ? "" : `${section}.`;
  const within = Object.keys(sections)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((name) => !name.includes("."));
  return [...Object.keys(keys), ...within];
}
