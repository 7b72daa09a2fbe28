export interface BackoffBounds {
  readonly retryBackoffMs: number;
  readonly retryMaxBackoffMs: number;
}

/** A server's `Retry-After` is heeded up to here: a mistaken one must not hold delivery up for a day. */
const maxRetryAfterMs = 5 * 60_000;

/**
 * How long to wait after the `failedAttempts`-th failure in a row, in ms: exponential with full jitter between the two
 * bounds, so that several Looms do not come back to a database at the same moment. What the server asked for wins.
 * @param random from 0 up to, not including, 1
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
