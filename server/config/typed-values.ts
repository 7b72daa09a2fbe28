import type { Keys, ValueOf } from "./key.ts";

/** Keys by the names of their sections. A dot makes a section within another: "output.outbox". */
export type Sections = Readonly<Record<string, Keys>>;

/** An array of tables such as `[[ignore]]`: a list of any number of tables with the same keys. */
export interface TableArray {
  readonly maxTables: number;
  /** A sentence about the whole, for the documentation of its keys. */
  readonly description: string;
  /** The keys of each table. Required keys must be set in each of them. */
  readonly keys: Keys;
}

/** Arrays of tables by name, all of them at the top level of the file. */
export type TableArrays = Readonly<Record<string, TableArray>>;

/** Everything that a configuration file may contain. */
export interface Schema {
  readonly sections: Sections;
  readonly tableArrays: TableArrays;
}

/** Values by the names of their keys, as they are written in the file. */
export type KeyValues = Readonly<Record<string, unknown>>;

/** `max_batch_size` as `maxBatchSize`. */
export type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** The values of some keys under the names that they have in the code. */
export type ValuesOf<K extends Keys> = {
  readonly [Name in keyof K & string as CamelCase<Name>]: ValueOf<K[Name]>;
};

/** The values of all sections, each within the section that it belongs to: `enrichment.dns.maxQps`. */
export type NestedValues<S extends Sections> = {
  readonly [Name in keyof S & string as Name extends `${string}.${string}` ? never : Name]: ValuesOf<
    S[Name]
  > & {
    readonly [Inner in keyof S & string as Inner extends `${Name}.${infer Rest}`
      ? CamelCase<Rest>
      : never]: ValuesOf<S[Inner]>;
  };
};

/** The values of each table of all arrays of tables, in the order of the file. */
export type TablesOf<A extends TableArrays> = {
  readonly [Name in keyof A & string as CamelCase<Name>]: readonly ValuesOf<A[Name]["keys"]>[];
};

/** The values of keys that begin with a common prefix, without it: `clickhouse_create_table` as `createTable`. */
export type SettingsOf<Prefix extends string, K extends Keys> = {
  readonly [Name in keyof K & string as Name extends `${Prefix}_${infer Rest}`
    ? CamelCase<Rest>
    : never]: ValueOf<K[Name]>;
};

/** @param values of every section, by its name and the names of its keys */
export function nestValues<S extends Sections>(
  sections: S,
  values: Readonly<Record<string, KeyValues>>,
): NestedValues<S> {
  const nested: Record<string, Record<string, unknown>> = {};
  for (const section of Object.keys(sections)) {
    const renamed = renameKeys(values[section] ?? {}, Object.keys(sections[section] ?? {}), camelCase);
    const [outer = section, inner] = section.split(".");
    nested[outer] = {
      ...nested[outer],
      ...(inner === undefined ? renamed : { [camelCase(inner)]: renamed }),
    };
  }
  // The loop does at run time what the type says, for exactly the sections and keys that the type is derived from.
  return nested as NestedValues<S>;
}

/** @param tables the values of each table, by the name of its array and the names of its keys */
export function nameTables<A extends TableArrays>(
  tableArrays: A,
  tables: Readonly<Record<string, readonly KeyValues[]>>,
): TablesOf<A> {
  const named = Object.entries(tableArrays).map(([name, { keys }]) => [
    camelCase(name),
    (tables[name] ?? []).map((values) => renameKeys(values, Object.keys(keys), camelCase)),
  ]);
  // As above.
  return Object.fromEntries(named) as TablesOf<A>;
}

/** @param values of the keys, by their names; others are left out */
export function settingsOf<Prefix extends string, K extends Keys>(
  prefix: Prefix,
  keys: K,
  values: KeyValues,
): SettingsOf<Prefix, K> {
  const names = Object.keys(keys).filter((name) => name.startsWith(`${prefix}_`));
  const settings = renameKeys(values, names, (name) => camelCase(name.slice(prefix.length + 1)));
  // As above.
  return settings as SettingsOf<Prefix, K>;
}

function renameKeys(
  values: KeyValues,
  names: readonly string[],
  rename: (name: string) => string,
): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [rename(name), values[name]]));
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
