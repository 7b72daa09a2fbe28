import { formatDuration } from "../../server/text/duration.ts";

const secondMs = 1000;

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const exactClock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});
const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });
const shortClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat("en-GB", {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});
const dayOfYear = new Intl.DateTimeFormat("en-GB", { month: "short", day: "numeric" });
const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const day = new Intl.DateTimeFormat("en-GB", { year: "numeric", month: "short", day: "numeric" });

/** "14 min ago"; "now" below 2 s, and for a time in the future, which a clock that is wrong produces. */
export function formatAgo(atMs: number, nowMs: number): string {
  const ms = wholeSeconds(nowMs - atMs);
  return ms < 2 * secondMs ? "now" : `${formatDuration(ms)} ago`;
}

/** "in 12 s"; "now" for a time that has passed. */
export function formatUntil(atMs: number, nowMs: number): string {
  const ms = wholeSeconds(atMs - nowMs);
  return ms < secondMs ? "now" : `in ${formatDuration(ms)}`;
}

/** Rounds down to seconds: a text that is redrawn every second must not show tenths. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / secondMs) * secondMs;
}

/** The time of day in this machine's zone: "14:03:11". */
export function formatClock(atMs: number): string {
  return clock.format(atMs);
}

/** With milliseconds: "14:03:11.042". */
export function formatExactClock(atMs: number): string {
  return exactClock.format(atMs);
}

/** This machine's zone: "UTC" or "GMT+1". */
export function formatZone(atMs: number): string {
  return zone.formatToParts(atMs).find(({ type }) => type === "timeZoneName")?.value ?? "";
}

/** "14:03" */
export function formatShortClock(atMs: number): string {
  return shortClock.format(atMs);
}

/** "23 Nov" */
export function formatShortDay(atMs: number): string {
  return dayOfYear.format(atMs);
}

/** "23 Nov 2026" */
export function formatDay(atMs: number): string {
  return day.format(atMs);
}

/** "24 Nov, 14:03" */
export function formatMoment(atMs: number): string {
  return moment.format(atMs);
}

/** With date and time zone, for tooltips: "24 Nov 2026, 14:03:11 UTC". */
export function formatExact(atMs: number): string {
  return exact.format(atMs);
}
