import type { TomlTable, TomlValue } from "smol-toml";
import { findNearestName } from "../text/nearest-name.ts";
import { ConfigError } from "./config-error.ts";
import { isTable, quote } from "./kind.ts";
import type { Schema } from "./typed-values.ts";

/** A table of the file, and the names that it may have. */
export interface Place {
  /** For errors: "output.outbox", "ignore: table 2"; undefined: the top level of the file, which has no keys. */
  readonly label: string | undefined;
  readonly known: readonly string[];
}

/**
 * Checks that the file has no other names in a table.
 * @throws ConfigError that names the place where the name belongs, or the most similar name
 */
export function assertKnownNames({ label, known }: Place, table: TomlTable, schema: Schema): void {
  for (const [name, value] of Object.entries(table)) {
    if (known.includes(name)) continue;
    const what = isTable(value) || isListOfTables(value) ? "section" : "key";
    const where = label === undefined ? "config: " : `config: ${label}: `;
    throw new ConfigError(`${where}unknown ${what} ${quote(name)} (${hint(name, what, known, schema)})`);
  }
}

/** The names at the top level of the file. */
export function topLevel({ sections, tableArrays }: Schema): Place {
  const names = Object.keys(sections).filter((name) => !name.includes("."));
  return { label: undefined, known: [...names, ...Object.keys(tableArrays)] };
}

/** The keys of a section, and the sections directly within it. */
export function sectionPlace(section: string, { sections }: Schema): Place {
  const prefix = `${section}.`;
  const within = Object.keys(sections)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((name) => !name.includes("."));
  return { label: section, known: [...Object.keys(sections[section] ?? {}), ...within] };
}

/** @returns false for an empty list, which says nothing about what it is a list of */
function isListOfTables(value: TomlValue): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isTable);
}

function hint(
  name: string,
  what: "section" | "key",
  known: readonly string[],
  { sections, tableArrays }: Schema,
): string {
  const homes = [
    ...Object.entries(sections).map(([section, keys]) => ({ home: `[${section}]`, keys })),
    ...Object.entries(tableArrays).map(([array, { keys }]) => ({ home: `[[${array}]]`, keys })),
  ].filter(({ keys }) => what === "key" && Object.hasOwn(keys, name));
  if (homes.length > 0) return `it belongs in ${homes.map(({ home }) => home).join(" or ")}`;
  const inner = Object.keys(sections).find((section) => section.endsWith(`.${name}`));
  const nearest = inner ?? findNearestName(name, known);
  return nearest === undefined ? `known: ${known.join(", ")}` : `did you mean "${nearest}"?`;
}
