import type { TomlTable, TomlValue } from "smol-toml";
import { ConfigError } from "./config-error.ts";
import type { Key, Keys } from "./key.ts";
import { isTable, type Refuse, showValue } from "./kind.ts";
import { assertKnownNames, sectionPlace, topLevel } from "./known-names.ts";
import type { KeyValues, Schema } from "./typed-values.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadValues {
  /** The values of each section, by the names of its keys in the file; defaults for the keys that are not set. */
  readonly values: Readonly<Record<string, KeyValues>>;
  /** The same for each table of an array of tables. */
  readonly tables: Readonly<Record<string, readonly KeyValues[]>>;
  /** The keys of sections that are set, as "section.key". */
  readonly written: ReadonlySet<string>;
}

/**
 * Checks a parsed file against the tables of keys.
 * @throws ConfigError on the first unknown name or value that is not allowed
 */
export function readValues(document: TomlTable, environment: Environment, schema: Schema): ReadValues {
  const values: Record<string, KeyValues> = {};
  const written = new Set<string>();
  assertKnownNames(topLevel(schema), document, schema);
  for (const [section, keys] of Object.entries(schema.sections)) {
    const table = findTable(document, section);
    assertKnownNames(sectionPlace(section, schema), table, schema);
    const read = readKeys(section, table, keys, environment);
    values[section] = read.values;
    for (const name of read.written) written.add(`${section}.${name}`);
  }
  const tables = Object.keys(schema.tableArrays).map((name) => [name, readTables(document, name, schema)]);
  return { values, tables: Object.fromEntries(tables), written };
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

/** The values of each table of an array of tables. Errors number the tables from 1. */
function readTables(document: TomlTable, name: string, schema: Schema): KeyValues[] {
  const { maxTables = 0, keys = {} } = schema.tableArrays[name] ?? {};
  const tables = document[name] ?? [];
  if (!Array.isArray(tables) || !tables.every(isTable))
    throw new ConfigError(`config: ${name}: is ${showValue(tables)}; allowed: tables, each [[${name}]]`);
  if (tables.length > maxTables)
    throw new ConfigError(`config: ${name}: has ${tables.length} tables; allowed: at most ${maxTables}`);
  return tables.map((table, i) => {
    const label = `${name}: table ${i + 1}`;
    assertKnownNames({ label, known: Object.keys(keys) }, table, schema);
    const { values, written } = readKeys(label, table, keys, {});
    const missing = Object.keys(keys).find((key) => keys[key]?.isRequired && !written.has(key));
    if (missing !== undefined) throw new ConfigError(`config: ${label}: ${missing} is missing`);
    return values;
  });
}

/** @param label names the table in errors */
function readKeys(
  label: string,
  table: TomlTable,
  keys: Keys,
  environment: Environment,
): { values: KeyValues; written: ReadonlySet<string> } {
  const written = new Set<string>();
  const values: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(keys)) {
    const { source, value } = findValue(table, name, key, environment);
    if (value !== undefined) written.add(name);
    values[name] = value === undefined ? key.fallback : readValue(label, source, key, value);
  }
  return { values, written };
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

function readValue(label: string, source: string, key: Key<unknown>, value: TomlValue): unknown {
  const { allowed, read, show } = key.kind;
  const refuse: Refuse = (reason) => {
    const why = reason === undefined ? "" : ` (${reason})`;
    throw new ConfigError(`config: ${label}: ${source} is ${show(value)}${why}; allowed: ${allowed}`);
  };
  return read(value, refuse);
}
