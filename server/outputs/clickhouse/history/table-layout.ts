import type { ColumnName } from "../../../event/columns.ts";
import { type TimeColumn, timeColumnOf } from "./time-column.ts";

/** A column of the table, as DESCRIBE TABLE lists it. */
export interface ColumnOfTable {
  readonly name: string;
  readonly type: string;
}

/** How the values of a column are compared. */
export type ValueForm = "text" | "country" | "number" | "ipv6" | "bytes16" | "list";

export interface UsableColumn {
  /** In SQL. */
  readonly name: string;
  readonly form: ValueForm;
}

/** What history can use of a table. */
export interface TableLayout {
  readonly time: TimeColumn;
  /** Other columns are read from the events. */
  readonly columns: ReadonlyMap<ColumnName, UsableColumn>;
  /** The payload as bytes. */
  readonly hasPayload: boolean;
  /** The columns of fieldColumns (table-columns.ts) that the table lacks, or has with another type. */
  readonly missing: readonly string[];
}

const text = /^(?:LowCardinality\()?String\)?$/;
const number = /^U?Int(?:8|16|32|64)$/;
const list = /^Array\((?:LowCardinality\()?String\)?\)$/;

/** The names of the columns in the table. `payload`, `user` and `password` cannot be computed in SQL. */
const columnsInTable: readonly (readonly [ColumnName, string, (type: string) => ValueForm | undefined])[] = [
  ["sensor", "sensor", (type) => (text.test(type) ? "text" : undefined)],
  ["ip", "source_ip", addressForm],
  ["asn", "asn", (type) => (number.test(type) ? "number" : undefined)],
  ["country", "country", (type) => (text.test(type) ? "country" : undefined)],
  ["port", "destination_port", (type) => (number.test(type) ? "number" : undefined)],
  ...(["path", "user_agent", "ja4", "ja4h", "hassh", "community_id"] as const).map(
    (name) => [name, name, (type: string) => (text.test(type) ? "text" : undefined)] as const,
  ),
  ["tags", "tags", (type) => (list.test(type) ? "list" : undefined)],
];

/** @returns undefined if events cannot be found by time in the table */
export function layoutOf(table: readonly ColumnOfTable[]): TableLayout | undefined {
  const types = new Map(table.map(({ name, type }) => [name, type]));
  const time = timeColumnOf(types.get("timestamp") ?? "");
  if (time === undefined || types.get("event") !== "String") return undefined;
  const columns = new Map<ColumnName, UsableColumn>();
  const missing: string[] = [];
  for (const [column, name, formOf] of columnsInTable) {
    const form = formOf(types.get(name) ?? "");
    if (form === undefined) missing.push(name);
    else columns.set(column, { name: `\`${name}\``, form });
  }
  const hasPayload = types.get("payload") === "String";
  if (!hasPayload) missing.push("payload");
  return { time, columns, hasPayload, missing };
}

function addressForm(type: string): ValueForm | undefined {
  if (type === "IPv6") return "ipv6";
  return type === "FixedString(16)" ? "bytes16" : undefined;
}
