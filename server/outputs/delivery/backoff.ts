export interface BackoffBounds {
  readonly retryBackoffMs: number;
  readonly retryMaxBackoffMs: number;
}

/** The longest pause that a server can ask for: a wrong `Retry-After` must not stop delivery for a day. */
const maxRetryAfterMs = 5 * 60_000;

/**
 * The pause after the `failedAttempts`-th failure in a row, in ms: exponential with full jitter between the two bounds, so
 * that several Looms do not return to a database at the same moment. A pause that the server asked for is used instead.
 * @param retryAfterMs the pause that the server asked for, if it did
 * @param random a number from 0 up to, but not including, 1
 */
export function backoffMs(
  failedAttempts: number,
  retryAfterMs: number | undefined,
  { retryBackoffMs, retryMaxBackoffMs }: BackoffBounds,
  random: () => number,
): number {
  if (retryAfterMs !== undefined && Number.isFinite(retryAfterMs))
    return Math.min(Math.max(retryAfterMs, retryBackoffMs), maxRetryAfterMs);
  const ceilingMs = Math.min(retryMaxBackoffMs, retryBackoffMs * 2 ** failedAttempts);
  return Math.round(Math.min(retryBackoffMs + random() * (ceilingMs - retryBackoffMs), retryMaxBackoffMs));
}
