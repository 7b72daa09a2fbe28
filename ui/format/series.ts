import type { Series } from "../../server/management/api/answers.ts";
import { formatClock, formatShortClock } from "./times.ts";

/** Times in seconds since the epoch, and the value at each; null if it is not known. */
export type ChartData = [times: number[], values: (number | null)[]];

/** At least this many steps are drawn. */
const minSteps = 30;

/** A series for a chart. The steps before Loom's start are left out, so that the first hour fills the width. */
export function chartData({ startAt, stepMs, values }: Series): ChartData {
  const known = values.findIndex((value) => value !== null);
  const first = Math.max(0, Math.min(known < 0 ? values.length : known, values.length - minSteps));
  const shown = values.slice(first);
  return [shown.map((_, i) => (startAt + (first + i) * stepMs) / 1000), shown];
}

/** "14:03:11  12.3/s": the time and the value at an index; "" outside of the data. */
export function readoutAt(
  [times, values]: ChartData,
  index: number | undefined,
  format: (value: number) => string,
): string {
  const time = index === undefined ? undefined : times[index];
  if (index === undefined || time === undefined) return "";
  const value = values[index];
  return `${formatClock(time * 1000)}  ${value === null || value === undefined ? "no data" : format(value)}`;
}

/** True if no value of a series is known. */
export function isEmpty({ values }: Series): boolean {
  return values.every((value) => value === null);
}

/** Labels for times of an axis, in seconds since the epoch: "14:03", or "14:03:30" if they are less than a minute apart. */
export function timeLabels(times: readonly number[]): string[] {
  const [first = 0, second = first + 60] = times;
  const format = second - first < 60 ? formatClock : formatShortClock;
  return times.map((time) => format(time * 1000));
}

/** The latest, highest and lowest value of a series, in a sentence. */
export function summaryOf({ values }: Series, format: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return "No data yet.";
  return `Latest ${format(known.at(-1) ?? 0)}, highest ${format(Math.max(...known))}, lowest ${format(Math.min(...known))}.`;
}
