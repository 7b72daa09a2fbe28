const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
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
const day = new Intl.DateTimeFormat("en-GB", { year: "numeric", month: "short", day: "numeric" });

/** A length of time in its largest fitting unit: "14 min", "3 h", "2 d"; below a second "0 s". */
export function formatDuration(ms: number): string {
  if (ms < minuteMs) return `${Math.max(0, Math.floor(ms / secondMs))} s`;
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min`;
  if (ms < 2 * dayMs) return `${Math.floor(ms / hourMs)} h`;
  return `${Math.floor(ms / dayMs)} d`;
}

/** "14 min ago"; "now" below 2 s, and for what a clock that is off puts into the future. */
export function formatAgo(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs;
  return ms < 2 * secondMs ? "now" : `${formatDuration(ms)} ago`;
}

/** "in 12 s"; "now" when it is over. */
export function formatUntil(atMs: number, nowMs: number): string {
  const ms = atMs - nowMs;
  return ms < secondMs ? "now" : `in ${formatDuration(ms)}`;
}

/** The time of day here, to the second: "14:03:11". */
export function formatClock(atMs: number): string {
  return clock.format(atMs);
}

/** "14:03" */
export function formatShortClock(atMs: number): string {
  return shortClock.format(atMs);
}

/** "23 Nov 2026" */
export function formatDay(atMs: number): string {
  return day.format(atMs);
}

/** With date and time zone, for what shows on hover: "24 Nov 2026, 14:03:11 UTC". */
export function formatExact(atMs: number): string {
  return exact.format(atMs);
}
