/** What looking at events may cost. */
export interface BudgetLimits {
  /** As long as no more come, all are looked at. */
  readonly eventsPerSecond: number;
  readonly bytesPerSecond: number;
}

export interface Budget {
  /** @returns how many of these events, which have so many bytes together, may be looked at */
  allowance(eventCount: number, bytes: number): number;
  charge(eventCount: number, bytes: number): void;
}

/**
 * While more comes than may be looked at, only this part of the limits is used. To look at an event costs 7 to 16 µs
 * when ingest is at its limit, so that 10,000 a second would cost it a tenth of its rate; and a sample of 2,500 says as
 * much as one of 10,000.
 */
const shareInOverload = 1 / 4;
/** A batch is not looked at for fewer of its events, if it has as many: to find lines in it costs as much as they do. */
const minEventsPerBatch = 64;

/**
 * A token bucket each for events and bytes, which holds what a second brings. Events differ in size, so the account of
 * bytes may go below zero: that is paid back first.
 */
export function createBudget(limits: BudgetLimits, monotonic: () => number): Budget {
  const events = createBucket(limits.eventsPerSecond);
  const bytes = createBucket(limits.bytesPerSecond);
  let filledAt = monotonic();

  return {
    allowance(eventCount, totalBytes) {
      const now = monotonic();
      const elapsedMs = now - filledAt;
      filledAt = now;
      const isOverload = events.offer(eventCount, elapsedMs) || bytes.offer(totalBytes, elapsedMs);
      const share = isOverload ? shareInOverload : 1;
      events.fill(share, elapsedMs);
      bytes.fill(share, elapsedMs);
      // Rounded up, so that the largest event too is taken once nothing is owed.
      const withinBytes = Math.ceil((bytes.tokens / totalBytes) * eventCount);
      const allowed = Math.min(eventCount, Math.floor(events.tokens), withinBytes);
      return allowed >= Math.min(eventCount, minEventsPerBatch) ? Math.max(0, allowed) : 0;
    },
    charge(eventCount, takenBytes) {
      events.tokens -= eventCount;
      bytes.tokens -= takenBytes;
    },
  };
}
