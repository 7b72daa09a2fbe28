/** What looking at events may cost. */
export interface BudgetLimits {
  readonly eventsPerSecond: number;
  readonly bytesPerSecond: number;
}

export interface Budget {
  /** @returns how many of these events, which have so many bytes together, may be looked at */
  allowance(eventCount: number, bytes: number): number;
  charge(eventCount: number, bytes: number): void;
}

/**
 * The more comes beyond the limits, the less of them is used, down to this part. To look at an event costs 7 to 16 µs
 * while ingest takes all it can: for 10,000 a second that would be a tenth of its rate. A sample of 1,000 says as much.
 */
const minShare = 1 / 10;
/** A batch is not looked at for fewer of its events, if it has as many: to find lines in it costs as much as they do. */
const minEventsPerBatch = 64;

/**
 * A token bucket each for events and bytes, which holds what a second brings. Events differ in size, so the account of
 * bytes may go below zero: that is paid back first.
 */
export function createBudget(limits: BudgetLimits, monotonic: () => number): Budget {
  const events = new Bucket(limits.eventsPerSecond);
  const bytes = new Bucket(limits.bytesPerSecond);
  let filledAt = monotonic();

  return {
    allowance(eventCount, totalBytes) {
      const now = monotonic();
      const seconds = (now - filledAt) / 1000;
      filledAt = now;
      events.offer(eventCount, seconds);
      bytes.offer(totalBytes, seconds);
      const share = Math.max(minShare, Math.min(1, events.offeredShare, bytes.offeredShare));
      events.fill(share * seconds);
      bytes.fill(share * seconds);
      const eventBytes = totalBytes / eventCount;
      // Rounded up, so that the largest event too is taken once nothing is owed.
      const allowed = Math.min(eventCount, Math.floor(events.tokens), Math.ceil(bytes.tokens / eventBytes));
      const mostEver = Math.max(1, Math.floor(limits.bytesPerSecond / eventBytes));
      return allowed < Math.min(eventCount, minEventsPerBatch, mostEver) ? 0 : allowed;
    },
    charge(eventCount, takenBytes) {
      events.tokens -= eventCount;
      bytes.tokens -= takenBytes;
    },
  };
}

class Bucket {
  tokens: number;
  /** Of late, a second: what came counts less and less, after a second a third of it. */
  #offered = 0;
  readonly #perSecond: number;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.tokens = perSecond;
  }

  /** Which part of what is offered the limit allows; more than 1: all of it. */
  get offeredShare(): number {
    return this.#perSecond / this.#offered;
  }

  offer(amount: number, secondsSince: number): void {
    this.#offered = this.#offered * Math.exp(-secondsSince) + amount;
  }

  fill(seconds: number): void {
    this.tokens = Math.min(this.#perSecond, this.tokens + seconds * this.#perSecond);
  }
}
