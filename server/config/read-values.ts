import type { TomlTable, TomlValue } from "smol-toml";
import { ConfigError } from "./config-error.ts";
import { type Key, sections } from "./keys.ts";
import { isTable, quote, type Refuse, showValue } from "./kind.ts";
import { findNearestName } from "./nearest-name.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

type Sections = typeof sections;
type ValueOf<K> = K extends Key<infer T> ? T : never;

/** Each section's values, with defaults, under the names of the file. */
export type Values = {
  readonly [S in keyof Sections]: { readonly [K in keyof Sections[S]]: ValueOf<Sections[S][K]> };
};

export interface ReadValues {
  readonly values: Values;
  /** The keys that were written, as "section.key"; the others have their defaults. */
  readonly written: ReadonlySet<string>;
}

/**
 * Checks a parsed file, key by key, against the table of keys.
 * @throws ConfigError on the first unknown name or value that is not allowed
 */
export function readValues(document: TomlTable, environment: Environment): ReadValues {
  const values: Record<string, Record<string, unknown>> = {};
  const written = new Set<string>();
  assertKnownNames(undefined, document);
  for (const [section, keys] of Object.entries<Record<string, Key<unknown>>>(sections)) {
    const table = findTable(document, section);
    assertKnownNames(section, table);
    const sectionValues: Record<string, unknown> = {};
    for (const [name, key] of Object.entries(keys)) {
      const { source, value } = findValue(table, name, key, environment);
      if (value !== undefined) written.add(`${section}.${name}`);
      sectionValues[name] = value === undefined ? key.fallback : readValue(section, source, key, value);
    }
    values[section] = sectionValues;
  }
  // The loops fill exactly the sections and keys of the table that Values is derived from.
  return { values: values as Values, written };
}

/** The table of "enrichment.dns" within the document; an empty one when it is not there. */
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

/** Where a key's value comes from and what it is; an empty text unsets a key that has no default. */
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
  const isUnset = value === "" && key.fallback === undefined;
  return { source: name, value: isUnset ? undefined : value };
}

function readValue(section: string, source: string, key: Key<unknown>, value: TomlValue): unknown {
  const { allowed, read, show } = key.kind;
  const refuse: Refuse = (reason) => {
    const why = reason === undefined ? "" : ` (${reason})`;
    throw new ConfigError(`config: ${section}: ${source} is ${show(value)}${why}; allowed: ${allowed}`);
  };
  return read(value, refuse);
}

/** `section` undefined: the top of the file, where only sections are known. */
function assertKnownNames(section: string | undefined, table: TomlTable): void {
  const known = knownNames(section);
  for (const [name, value] of Object.entries(table)) {
    if (known.includes(name)) continue;
    const what = isTable(value) ? "section" : "key";
    const where = section === undefined ? "config: " : `config: ${section}: `;
    throw new ConfigError(`${where}unknown ${what} ${quote(name)} (${hint(name, what, known)})`);
  }
}

function hint(name: string, what: "section" | "key", known: readonly string[]): string {
  const homes = Object.entries(sections)
    .filter(([, keys]) => what === "key" && Object.hasOwn(keys, name))
    .map(([section]) => `[${section}]`);
  if (homes.length > 0) return `it belongs in ${homes.join(" or ")}`;
  const inner = Object.keys(sections).find((section) => section.endsWith(`.${name}`));
  const nearest = inner ?? findNearestName(name, known);
  return nearest === undefined ? `known here: ${known.join(", ")}` : `did you mean "${nearest}"?`;
}

/** The keys of a section and the sections directly within it. */
function knownNames(section: string | undefined): string[] {
  const keys = Object.entries(sections).find(([name]) => name === section)?.[1] ?? {};
  const prefix = section === undefined ? "" : `${section}.`;
  const within = Object.keys(sections)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((name) => !name.includes("."));
  return [...Object.keys(keys), ...within];
}
