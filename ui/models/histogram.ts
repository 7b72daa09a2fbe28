import type { HistoryHistogramAnswer } from "../../server/management/api/answers.ts";

/** A part of a histogram that is being chosen: shares of its width, from 0 to 1. The end may be left of the start. */
export interface Selection {
  readonly start: number;
  readonly end: number;
}

/** A smaller movement is a click. */
const minSelectedShare = 0.005;
/** A bar that is not empty is at least this high, in percent. */
const minBarHeight = 2;

/** The bars as the data of an SVG path, one unit wide each and 100 high. */
export function barsPath(counts: readonly number[], highest: number): string {
  return counts
    .map((count, i) => {
      if (count === 0) return "";
      const top = 100 - Math.max(minBarHeight, (count / highest) * 100);
      return `M${i + 0.1} 100V${top.toFixed(1)}h.8V100z`;
    })
    .join("");
}

/** The times of the whole intervals that a selection touches; undefined if it is too small. */
export function selectedTimes(
  { from, intervalMs, counts }: Pick<HistoryHistogramAnswer, "from" | "intervalMs" | "counts">,
  { start, end }: Selection,
): { readonly from: number; readonly to: number } | undefined {
  const [left, right] = [Math.min(start, end), Math.max(start, end)];
  if (right - left < minSelectedShare) return undefined;
  const first = Math.floor(left * counts.length);
  const last = Math.max(first + 1, Math.ceil(right * counts.length));
  return { from: from + first * intervalMs, to: from + last * intervalMs };
}
