/** What looking at events may cost. */
export interface BudgetLimits {
  readonly eventsPerSecond: number;
  readonly bytesPerSecond: number;
}

export interface Budget {
  /** @returns how many of these events may be looked at, which are so large together */
  allowance(eventCount: number, bytes: number): number;
  charge(eventCount: number, bytes: number): void;
}

/**
 * A token bucket each for events and bytes, which holds what a second brings. Of events of different size it is not known
 * which will be taken, so the account of bytes may go below zero: it is paid back first.
 */
export function createBudget(limits: BudgetLimits, monotonic: () => number): Budget {
  let events = limits.eventsPerSecond;
  let bytes = limits.bytesPerSecond;
  let filledAt = monotonic();

  function fill(): void {
    const now = monotonic();
    const seconds = (now - filledAt) / 1000;
    events = Math.min(limits.eventsPerSecond, events + seconds * limits.eventsPerSecond);
    bytes = Math.min(limits.bytesPerSecond, bytes + seconds * limits.bytesPerSecond);
    filledAt = now;
  }

  return {
    allowance(eventCount, totalBytes) {
      fill();
      // Rounded up, so that the largest event too is taken once nothing is owed.
      const within = Math.ceil((bytes / totalBytes) * eventCount);
      return Math.max(0, Math.min(eventCount, Math.floor(events), within));
    },
    charge(eventCount, takenBytes) {
      events -= eventCount;
      bytes -= takenBytes;
    },
  };
}
