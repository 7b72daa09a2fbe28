import {
  beginning,
  type EventPosition,
  positionAfter,
  type SampledEvent,
} from "../sampling/sampled-event.ts";

export interface RecentEventsOptions {
  readonly maxBytes: number;
  readonly maxCount?: number;
}

const defaultMaxCount = 50_000;

/** The memory of an event besides its line: objects, field values, a view of its bytes. Measured 600, rounded up. */
const overheadBytes = 768;

/** The newest sampled events, as many as the limits allow. The oldest are evicted first; the newest one is always held. */
export class RecentEvents {
  readonly #maxBytes: number;
  readonly #maxCount: number;
  /** A ring: the event with an ordinal is at `ordinal % maxCount`. */
  readonly #slots: (SampledEvent | undefined)[] = [];
  #lastEvicted = beginning;
  #lastOrdinal = 0;
  #bytes = 0;

  constructor({ maxBytes, maxCount = defaultMaxCount }: RecentEventsOptions) {
    this.#maxBytes = maxBytes;
    this.#maxCount = maxCount;
  }

  /** The position after the last evicted event. */
  get lastEvicted(): EventPosition {
    return this.#lastEvicted;
  }

  get count(): number {
    return this.#lastOrdinal - this.#lastEvicted.ordinal;
  }

  /** The memory of the events, lines and overhead. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the next event: its ordinal follows that of the last one. */
  add(event: SampledEvent): void {
    if (this.count === this.#maxCount) this.#evictOldest();
    this.#slots[event.ordinal % this.#maxCount] = event;
    this.#lastOrdinal = event.ordinal;
    this.#bytes += event.line.length + overheadBytes;
    while (this.#bytes > this.#maxBytes && this.count > 1) this.#evictOldest();
  }

  /** @returns undefined if the event is evicted or does not exist */
  at(ordinal: number): SampledEvent | undefined {
    const isHeld = ordinal > this.#lastEvicted.ordinal && ordinal <= this.#lastOrdinal;
    return isHeld ? this.#slots[ordinal % this.#maxCount] : undefined;
  }

  /** @returns undefined if the event is evicted, was not sampled, or does not exist */
  byNumber(number: number): SampledEvent | undefined {
    const event = this.at(this.#ordinalAt(number));
    return event?.number === number ? event : undefined;
  }

  /** The position after the event with this number, sampled or not. @param number not before `lastEvicted` */
  positionAt(number: number): EventPosition {
    return { number, ordinal: this.#ordinalAt(number) };
  }

  #evictOldest(): void {
    const oldest = this.at(this.#lastEvicted.ordinal + 1);
    if (!oldest) return;
    this.#slots[oldest.ordinal % this.#maxCount] = undefined;
    this.#bytes -= oldest.line.length + overheadBytes;
    this.#lastEvicted = positionAfter(oldest);
  }

  /** The ordinal of the last event whose number is not greater than this one, by binary search. */
  #ordinalAt(number: number): number {
    let below = this.#lastEvicted.ordinal;
    let above = this.#lastOrdinal + 1;
    while (above - below > 1) {
      const middle = Math.floor((below + above) / 2);
      if ((this.at(middle)?.number ?? Number.POSITIVE_INFINITY) <= number) below = middle;
      else above = middle;
    }
    return below;
  }
}
