import type { ColumnName } from "../../../event/columns.ts";
import { quoteTable, type TableName } from "../schema.ts";
import { emptyValue, valueExpression } from "./column-condition.ts";
import type { RowPosition } from "./row-position.ts";
import type { TimeRange } from "./slices.ts";
import type { TableLayout, UsableColumn } from "./table-layout.ts";

/*
 * The statements of history. Aliases begin with `loom_`, because an alias hides a column of the same name in the whole
 * statement.
 */

/** The rows that a statement reads. */
export interface Source {
  readonly name: TableName;
  readonly layout: TableLayout;
  readonly conditions: readonly string[];
}

export type Direction = "newest first" | "oldest first";

/** Oldest and newest time, and the number of rows. */
export function boundsStatement({ name, layout }: Source): string {
  const bound = (which: string) => layout.time.milliseconds.replace("`timestamp`", `${which}(\`timestamp\`)`);
  return `SELECT count(), ${bound("min")}, ${bound("max")} FROM ${quoteTable(name)}`;
}

/** The size of the table on disk. */
export function bytesStatement({ database, table }: TableName): string {
  return `SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = '${database}' AND table = '${table}'`;
}

/** The number of rows. */
export function countStatement(source: Source, range: TimeRange): string {
  return `SELECT count() FROM ${from(source, range)}`;
}

/** Of each interval that has rows its index from 0, and their number. */
export function histogramStatement(
  source: Source,
  range: TimeRange,
  start: number,
  intervalMs: number,
): string {
  const index = `intDiv(${source.layout.time.milliseconds} - toInt64(${start}), ${intervalMs})`;
  return `SELECT ${index} AS loom_index, count() FROM ${from(source, range)} GROUP BY loom_index`;
}

/**
 * The most frequent values with their numbers; in the totals, the number of values and the number of those that stand for
 * none. The tags of an event are counted one by one.
 */
export function topStatement(source: Source, range: TimeRange, column: UsableColumn, limit: number): string {
  const { name, form } = column;
  const value = form === "list" ? `arrayJoin(if(empty(${name}), [''], ${name}))` : valueExpression(column);
  const shown = form === "ipv6" || form === "bytes16" ? "IPv6NumToString(loom_value)" : "loom_value";
  return `SELECT ${shown}, loom_count, loom_without FROM (
  SELECT ${value} AS loom_value, count() AS loom_count, countIf(loom_value = ${emptyValue(form)}) AS loom_without
  FROM ${from(source, range)}
  GROUP BY loom_value WITH TOTALS ORDER BY loom_count DESC, loom_value ASC LIMIT ${limit})`;
}

/**
 * How far back, or ahead, a page of rows reaches, without reading their documents: the time of its last row, and its number
 * of rows. Rows of that time beyond the page are not counted.
 */
export function pageEndStatement(
  source: Source,
  range: TimeRange,
  direction: Direction,
  limit: number,
): string {
  const [end, order] = direction === "newest first" ? ["min", "DESC"] : ["max", "ASC"];
  return `SELECT ${end}(loom_time), count() FROM (
  SELECT ${source.layout.time.milliseconds} AS loom_time FROM ${from(source, range)} ORDER BY loom_time ${order} LIMIT ${limit})`;
}

/** Time, hash, sensor and document of the rows, in order. @param after the rows up to this position are left out */
export function rowsStatement(
  source: Source,
  range: TimeRange,
  direction: Direction,
  page: { readonly limit: number; readonly after: RowPosition | undefined },
): string {
  const { layout } = source;
  const order = direction === "newest first" ? "DESC" : "ASC";
  const conditions = [...source.conditions, ...positionConditions(layout, direction, page.after)];
  return `SELECT ${layout.time.milliseconds} AS loom_time, cityHash64(\`event\`) AS loom_hash, ${sensor(layout)}, \`event\`
FROM ${from({ ...source, conditions }, range)}
ORDER BY loom_time ${order}, loom_hash ${order} LIMIT ${page.after?.skip ?? 0}, ${page.limit}`;
}

/** The rows with an id, as rowsStatement returns them. */
export function rowStatement(
  source: Source,
  { time, hash }: { readonly time: number; readonly hash: bigint },
): string {
  const ofId = { ...source, conditions: [`cityHash64(\`event\`) = ${hash}`] };
  return rowsStatement(ofId, { from: time, to: time + 1 }, "newest first", { limit: 1, after: undefined });
}

function positionConditions(
  { time }: TableLayout,
  direction: Direction,
  after: RowPosition | undefined,
): string[] {
  if (after?.hash === undefined) return [];
  const comparison = direction === "newest first" ? "<" : ">";
  const at = `${time.milliseconds} = toInt64(${after.time})`;
  return [
    `(${time.milliseconds} ${comparison} toInt64(${after.time}) OR (${at} AND cityHash64(\`event\`) ${comparison}= ${after.hash}))`,
  ];
}

function sensor({ columns }: TableLayout): string {
  return columns.get("sensor" satisfies ColumnName)?.name ?? "''";
}

function from({ name, layout, conditions }: Source, range: TimeRange): string {
  const times = [layout.time.since(range.from), layout.time.before(range.to)];
  return `${quoteTable(name)} WHERE ${[...times, ...conditions].join("\n  AND ")}`;
}
