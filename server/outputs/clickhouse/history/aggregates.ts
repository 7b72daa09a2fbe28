import { addressKey, addressOfKey } from "../../../address-key.ts";
import type { ColumnName } from "../../../event/columns.ts";
import type {
  CountAnswer,
  HistogramAnswer,
  QueryOptions,
  TopAnswer,
  TopValue,
} from "../../../history/history-reader.ts";
import type { Query } from "../../../query/query.ts";
import type { JsonAnswer, JsonValue } from "./json-answer.ts";
import { type QueryContext, QueryRun } from "./query-run.ts";
import { ScannedTop } from "./scanned-top.ts";
import { countStatement, histogramStatement, topStatement } from "./statements.ts";
import type { UsableColumn } from "./table-layout.ts";

/** The number of events. @throws HistoryUnavailable */
export async function readCount(
  context: QueryContext,
  query: Query,
  options?: QueryOptions,
): Promise<CountAnswer> {
  const run = await QueryRun.start(context, query, options);
  let events = 0;
  const found = run.isMatch
    ? await run.eachMatch(() => {
        events++;
      })
    : await run.eachSlice(async (slice) => {
        const [[count = 0] = []] = (await run.select(countStatement(run.source, slice))).rows;
        events += Number(count);
      });
  return { events, ...found };
}

export interface HistogramRange {
  readonly from: number;
  readonly to: number;
  readonly intervalMs: number;
}

/** The numbers of events by time. @throws HistoryUnavailable */
export async function readHistogram(
  context: QueryContext,
  query: Query,
  { from, to, intervalMs }: HistogramRange,
  options?: QueryOptions,
): Promise<HistogramAnswer> {
  const since = Math.max(from, query.since ?? from);
  const until = Math.min(to, query.until ?? to);
  const run = await QueryRun.start(context, { ...query, since, until }, options);
  const counts = new Array<number>(Math.max(0, Math.ceil((to - from) / intervalMs))).fill(0);
  const add = (index: number, events: number) => {
    counts[index] = (counts[index] ?? 0) + events;
  };
  const found = run.isMatch
    ? await run.eachMatch(({ time }) => add(Math.floor((time - from) / intervalMs), 1))
    : await run.eachSlice(async (slice) => {
        const { rows } = await run.select(histogramStatement(run.source, slice, from, intervalMs));
        for (const [index, events] of rows) add(Number(index), Number(events));
      });
  return { from, intervalMs, counts, ...found };
}

/** The most frequent values. @throws HistoryUnavailable */
export async function readTop(
  context: QueryContext,
  query: Query,
  { column, limit }: { readonly column: ColumnName; readonly limit: number },
  options?: QueryOptions,
): Promise<TopAnswer> {
  const run = await QueryRun.start(context, query, options);
  const usable = run.source.layout.columns.get(column);
  if (run.isMatch || usable === undefined) {
    const top = new ScannedTop(column);
    const found = await run.eachMatch((_, { values }) => top.add(values[column]));
    return { ...top.answer(limit), ...found };
  }
  let answer: ValueCounts = { values: [], others: 0, without: 0, distinct: 0 };
  const found = await run.eachSlice(async ({ from }) => {
    // The lists of two slices do not add up, so that each statement begins at the end of the range.
    const range = { from, to: run.range.to };
    const [[rows = 0] = []] = (await run.select(countStatement(run.source, range))).rows;
    // ClickHouse 26.9 writes invalid JSON for WITH TOTALS without rows.
    if (Number(rows) === 0) return;
    // Events without a value may be among the most frequent.
    const statement = topStatement(run.source, range, usable, limit + 1);
    answer = topOf(await run.select(statement), usable, limit);
  });
  return { ...answer, ...found };
}

type ValueCounts = Pick<TopAnswer, "values" | "others" | "without" | "distinct">;

function topOf(
  { rows, totals, rowsBeforeLimit }: JsonAnswer,
  { form }: UsableColumn,
  limit: number,
): ValueCounts {
  const [, total = 0, without = 0] = totals.map(Number);
  const values: TopValue[] = rows
    .filter(([, , ofRow]) => Number(ofRow) === 0)
    .slice(0, limit)
    .map(([value = "", events = 0]) => ({ value: topValue(value, form), events: Number(events) }));
  const listed = values.reduce((sum, { events }) => sum + events, 0);
  return {
    values,
    others: total - without - listed,
    without,
    distinct: rowsBeforeLimit - (without > 0 ? 1 : 0),
  };
}

function topValue(value: JsonValue, form: UsableColumn["form"]): string | number {
  if (form === "number") return Number(value);
  if (form !== "ipv6" && form !== "bytes16") return String(value);
  const key = addressKey(String(value));
  return key === undefined ? String(value) : addressOfKey(key);
}
