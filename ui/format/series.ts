import type { Series } from "../../server/management/api/answers.ts";
import { formatClock, formatShortClock, formatShortDay } from "./times.ts";

/** Times in seconds since the epoch, and the value at each; null if it is not known. */
export type ChartData = [times: number[], values: (number | null)[]];

const hourSeconds = 3600;

/** At least this many steps are drawn. */
const minSteps = 30;

/** A series for a chart. The steps before Loom's start are left out, so that the first hour fills the width. */
export function chartData({ startAt, stepMs, values }: Series): ChartData {
  const known = values.findIndex((value) => value !== null);
  const first = Math.max(0, Math.min(known < 0 ? values.length : known, values.length - minSteps));
  const shown = values.slice(first);
  return [shown.map((_, i) => (startAt + (first + i) * stepMs) / 1000), shown];
}

/** "14:03:11  12.3/s", or "23 Nov, 14:00  12.3/s" for steps of an hour or more, at an index; "" outside of the data. */
export function readoutAt(
  [times, values]: ChartData,
  index: number | undefined,
  format: (value: number) => string,
): string {
  const time = index === undefined ? undefined : times[index];
  if (index === undefined || time === undefined) return "";
  const value = values[index];
  return `${pointTime(times, time)}  ${value === null || value === undefined ? "no data" : format(value)}`;
}

function pointTime([first = 0, second = first]: readonly number[], time: number): string {
  const atMs = time * 1000;
  return second - first < hourSeconds
    ? formatClock(atMs)
    : `${formatShortDay(atMs)}, ${formatShortClock(atMs)}`;
}

/** True if no value of a series is known. */
export function isEmpty({ values }: Series): boolean {
  return values.every((value) => value === null);
}

/**
 * Labels for times of an axis, in seconds since the epoch: "14:03", "14:03:30" if they are less than a minute apart, or
 * "23 Nov" if they are 12 hours or more apart.
 */
export function timeLabels(times: readonly number[]): string[] {
  const [first = 0, second = first + 60] = times;
  const apart = second - first;
  const format = apart < 60 ? formatClock : apart < 12 * hourSeconds ? formatShortClock : formatShortDay;
  return times.map((time) => format(time * 1000));
}

/** The latest, highest and lowest value of a series, in a sentence. */
export function summaryOf({ values }: Series, format: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return "No data yet.";
  return `Latest ${format(known.at(-1) ?? 0)}, highest ${format(Math.max(...known))}, lowest ${format(Math.min(...known))}.`;
}
