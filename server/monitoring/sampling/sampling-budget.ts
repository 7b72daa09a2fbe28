import { TokenBucket } from "../../token-bucket.ts";

/** The most that sampling may take. */
export interface BudgetLimits {
  readonly eventsPerSecond: number;
  readonly bytesPerSecond: number;
}

/**
 * The further the offered load exceeds the limits, the smaller the part of them that is used, down to this part. Examining
 * an event costs 7 to 16 µs while ingest runs at full speed: 10,000 events a second would take a tenth of that speed.
 * A sample of 1,000 a second is as meaningful.
 */
const minShare = 1 / 10;
/** Fewer events of a batch than this are not sampled, unless it has fewer: finding their lines costs as much as examining them. */
const minEventsPerBatch = 64;

/**
 * How many events may be sampled: a token bucket for events and one for their bytes. Events differ in size, so the bucket
 * of bytes may be overdrawn; the overdraft is paid back first.
 */
export class SamplingBudget {
  readonly #limits: BudgetLimits;
  readonly #now: () => number;
  readonly #events: TokenBucket;
  readonly #bytes: TokenBucket;
  readonly #offeredEvents = new RecentAmount();
  readonly #offeredBytes = new RecentAmount();
  #lastOfferAt: number;

  /** @param now a monotonic clock in milliseconds */
  constructor(limits: BudgetLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#events = new TokenBucket(limits.eventsPerSecond, now);
    this.#bytes = new TokenBucket(limits.bytesPerSecond, now);
    this.#lastOfferAt = now();
  }

  /** @returns how many of these events, which have this many bytes together, may be sampled */
  allowance(eventCount: number, bytes: number): number {
    const share = this.#shareAfterOffer(eventCount, bytes);
    const eventTokens = this.#events.tokens(share);
    const byteTokens = this.#bytes.tokens(share);
    const eventBytes = bytes / eventCount;
    // Rounded up, so that even the largest event is sampled when the bucket is not overdrawn.
    const allowed = Math.min(eventCount, Math.floor(eventTokens), Math.ceil(byteTokens / eventBytes));
    const mostEver = Math.max(1, Math.floor(this.#limits.bytesPerSecond / eventBytes));
    return allowed < Math.min(eventCount, minEventsPerBatch, mostEver) ? 0 : allowed;
  }

  charge(eventCount: number, bytes: number): void {
    this.#events.charge(eventCount);
    this.#bytes.charge(bytes);
  }

  /** @returns the share of the limits that may be used at the present load, `minShare` to 1 */
  #shareAfterOffer(eventCount: number, bytes: number): number {
    const now = this.#now();
    const seconds = (now - this.#lastOfferAt) / 1000;
    this.#lastOfferAt = now;
    const { eventsPerSecond, bytesPerSecond } = this.#limits;
    const eventShare = eventsPerSecond / this.#offeredEvents.add(eventCount, seconds);
    const byteShare = bytesPerSecond / this.#offeredBytes.add(bytes, seconds);
    return Math.max(minShare, Math.min(1, eventShare, byteShare));
  }
}

/** What arrived recently, per second: each amount decays exponentially, to about a third after a second. */
class RecentAmount {
  #amount = 0;

  /** @returns the amount with this addition */
  add(amount: number, secondsSince: number): number {
    this.#amount = this.#amount * Math.exp(-secondsSince) + amount;
    return this.#amount;
  }
}
