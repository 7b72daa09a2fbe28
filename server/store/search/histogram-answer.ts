import type { HistogramAnswer } from "../../history/history-reader.ts";
import type { Query } from "../../query/query.ts";
import { type AnswerContext, type Steps, searchAll } from "./answer-context.ts";
import type { Block } from "./file-search.ts";

export interface HistogramRange {
  readonly from: number;
  readonly to: number;
  readonly intervalMs: number;
}

export const maxIntervals = 10_000;

/** Counts the events that match in each interval. @throws RangeError if there are no intervals, or too many */
export function* histogramAnswer(
  context: AnswerContext,
  query: Query,
  { from, to, intervalMs }: HistogramRange,
): Steps<HistogramAnswer> {
  const intervals = Math.ceil((to - from) / intervalMs);
  if (!(intervalMs > 0 && intervals >= 1 && intervals <= maxIntervals))
    throw new RangeError(`a histogram has 1 to ${maxIntervals} intervals, and not ${intervals}`);
  const counts = new Array<number>(intervals).fill(0);
  const bounded = {
    ...query,
    since: Math.max(from, query.since ?? from),
    until: Math.min(to, query.until ?? to),
  };
  const completeness = yield* searchAll(context, bounded, (block) => {
    addTimes(counts, block, from, intervalMs);
    return true;
  });
  return { ...completeness, from, intervalMs, counts };
}

function addTimes(counts: number[], { part, rows }: Block, from: number, intervalMs: number): void {
  const { count } = rows;
  if (count === 0) return;
  const [first, last] = [part.t0, part.t1].map((time) => Math.floor((time - from) / intervalMs));
  if (first === last && first !== undefined) {
    counts[first] = (counts[first] ?? 0) + count;
    return;
  }
  const times = part.times();
  const { flags } = rows;
  for (let row = 0; row < times.length; row++) {
    if (flags?.[row] === 0) continue;
    const interval = Math.floor(((times[row] as number) - from) / intervalMs);
    counts[interval] = (counts[interval] as number) + 1;
  }
}
