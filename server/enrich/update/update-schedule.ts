/** How long to wait for the next check of a database, in milliseconds. `random` returns a number from 0 up to 1. */
export interface ScheduleOptions {
  readonly intervalMs: number;
  readonly random: () => number;
}

const minuteMs = 60_000;
const firstBackoffMs = minuteMs;
/** A server that asks for more is asked again after this time. */
const maxRetryAfterMs = 24 * 60 * minuteMs;
/** Several Looms that start at the same moment, after a power failure, do not ask at the same moment. */
const startJitterMs = minuteMs;

/** After a success: the interval, and up to a tenth of it, so that Looms do not all ask at the same time of day. */
export function waitAfterSuccessMs({ intervalMs, random }: ScheduleOptions): number {
  return intervalMs * (1 + random() / 10);
}

/**
 * After the `failures`-th failure in a row: a minute, doubled with each failure, up to the interval; half of it is random. A
 * server that asks for more time gets it, up to a day.
 */
export function waitAfterFailureMs(
  failures: number,
  retryAfterMs: number | undefined,
  { intervalMs, random }: ScheduleOptions,
): number {
  const ceilingMs = Math.min(intervalMs, firstBackoffMs * 2 ** (failures - 1));
  const backoffMs = ceilingMs * (0.5 + random() / 2);
  return Math.max(backoffMs, Math.min(retryAfterMs ?? 0, maxRetryAfterMs));
}

/**
 * At the start: none if there is no database; otherwise the rest of the interval, so that restarts cause no requests.
 * @param checkedAgoMs the time since the last success; undefined: it is unknown
 */
export function waitAtStartMs(
  hasDatabase: boolean,
  checkedAgoMs: number | undefined,
  { intervalMs, random }: ScheduleOptions,
): number {
  if (!hasDatabase) return 0;
  // A negative time: the clock was set back.
  const restMs = checkedAgoMs === undefined ? 0 : intervalMs - Math.max(0, checkedAgoMs);
  return Math.max(0, restMs) + random() * startJitterMs;
}
