import { type ColumnName, columnNames } from "../../event/columns.ts";
import {
  type CsvColumnName,
  csvFormat,
  defaultCsvColumns,
  type ExportFormat,
  isCsvColumnName,
  ndjsonFormat,
} from "../../history/export-formats.ts";
import { parseQuery } from "../../query/parse-query.ts";
import { parseTime } from "../../query/parse-time.ts";
import type { Query } from "../../query/query.ts";
import type { QueryError } from "../../query/query-error.ts";
import { fieldOfName } from "../../query/query-fields.ts";
import type { Result } from "../../result.ts";
import { type FirstSeenColumn, firstSeenColumns } from "../../store/first-seen/answers.ts";

const minuteMs = 60_000;
const defaultRangeMs = 24 * 60 * minuteMs;
export const maxIntervals = 2_000;
const defaultIntervals = 120;

/** The parameters of a request, each at most once, and none but these. @returns undefined for others */
export function readParams<Name extends string>(
  url: string,
  names: readonly Name[],
): Partial<Record<Name, string>> | undefined {
  const params: Partial<Record<string, string>> = {};
  for (const [name, value] of new URL(url).searchParams) {
    if (!names.some((known) => known === name) || Object.hasOwn(params, name)) return undefined;
    params[name] = value;
  }
  return params as Partial<Record<Name, string>>;
}

/** @param text undefined: every event */
export function readQuery(text: string | undefined, now: number): Result<Query, QueryError> {
  return parseQuery(text ?? "", { now });
}

/** An integer from 1 to `max`. @returns undefined for anything else */
export function readCount(text: string | undefined, fallback: number, max: number): number | undefined {
  if (text === undefined) return fallback;
  const value = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return value <= max ? value : undefined;
}

/** The column that `by` names, by its own name or by a name of the query language. */
export function readColumn(text: string | undefined): ColumnName | undefined {
  if (text === undefined) return undefined;
  return columnNames.find((name) => name === text) ?? fieldOfName(text)?.column;
}

/** A column whose first times are noted. @returns undefined for another one */
export function readFirstSeenColumn(text: string | undefined): FirstSeenColumn | undefined {
  const column = readColumn(text);
  return firstSeenColumns.find((name) => name === column);
}

/** A time as the query language writes it; 24 hours ago if it is not given. @returns undefined for anything else */
export function readSince(text: string | undefined, now: number): number | undefined {
  return text === undefined ? now - defaultRangeMs : parseTime(text, now);
}

/** How long an interval of a histogram is: "30s", "5m", "1h", "1d". */
const units = { s: 1_000, m: minuteMs, h: 60 * minuteMs, d: 24 * 60 * minuteMs } as const;
/** Lengths that are chosen for a range. */
const usualIntervals = [
  1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800,
].map((seconds) => seconds * 1_000);

export interface HistogramRange {
  readonly from: number;
  readonly to: number;
  readonly intervalMs: number;
}

/**
 * The intervals of a histogram of a query. They begin at multiples of their length (UTC).
 * @param oldest the time of the oldest event, for a query without `since`; undefined: there is none
 * @returns undefined if `interval` is malformed, or there would be more than maxIntervals
 */
export function readRange(
  query: Query,
  interval: string | undefined,
  oldest: number | undefined,
  now: number,
): HistogramRange | undefined {
  const to = query.until ?? Math.max(now, query.since ?? now) + 1;
  const from = query.since ?? Math.min(oldest ?? to - defaultRangeMs, to - 1_000);
  const intervalMs =
    interval === undefined
      ? (usualIntervals.find((ms) => (to - from) / ms <= defaultIntervals) ?? usualIntervals.at(-1))
      : readInterval(interval);
  if (intervalMs === undefined) return undefined;
  const start = Math.floor(from / intervalMs) * intervalMs;
  return (to - start) / intervalMs <= maxIntervals ? { from: start, to, intervalMs } : undefined;
}

function readInterval(text: string): number | undefined {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * units[unit as keyof typeof units];
}

/** The format of an export. @returns undefined for an unknown format or column, or columns for NDJSON */
export function readFormat(
  format: string | undefined,
  columnList: string | undefined,
): ExportFormat | undefined {
  if (format === undefined || format === "ndjson") return columnList === undefined ? ndjsonFormat : undefined;
  if (format !== "csv") return undefined;
  const names = columnList === undefined ? defaultCsvColumns : readCsvColumns(columnList);
  return names && csvFormat(names);
}

/** A list of different names, separated by commas. @returns undefined if one is unknown or occurs twice */
export function readCsvColumns(list: string): readonly CsvColumnName[] | undefined {
  const names = list.split(",");
  if (new Set(names).size !== names.length || !names.every(isCsvColumnName)) return undefined;
  return names.filter(isCsvColumnName);
}
