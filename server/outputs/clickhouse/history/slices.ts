/** From `from`, inclusive, to `to`, exclusive; milliseconds since the epoch. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

const firstWidthMs = 15 * 60_000;
const minWidthMs = 1000;
const factor = 8;
/** A slice that takes longer is followed by a shorter one, so that little is lost when the deadline passes. */
const longMs = 500;
/** The part of the remaining time that the rest may take by estimate, so that it is searched at once. */
const safeShare = 0.3;

/**
 * Divides a range into slices, which are searched one after the other from its end, or from its beginning. They widen as
 * long as they are searched fast, so that a query whose deadline passes has examined whole slices.
 */
export class Slices {
  readonly #whole: TimeRange;
  readonly #isFromEnd: boolean;
  #rest: TimeRange;
  #widthMs = firstWidthMs;

  constructor(whole: TimeRange, isFromEnd: boolean) {
    this.#whole = whole;
    this.#rest = whole;
    this.#isFromEnd = isFromEnd;
  }

  /** What was not searched yet; undefined: everything was. */
  get rest(): TimeRange | undefined {
    return this.#rest.from < this.#rest.to ? this.#rest : undefined;
  }

  /** 0 to 1. */
  get share(): number {
    const wholeMs = this.#whole.to - this.#whole.from;
    return wholeMs > 0 ? 1 - (this.#rest.to - this.#rest.from) / wholeMs : 1;
  }

  /** The next slice; undefined: everything was searched. */
  next(): TimeRange | undefined {
    const { from, to } = this.#rest;
    if (from >= to) return undefined;
    return this.#isFromEnd
      ? { from: Math.max(from, to - this.#widthMs), to }
      : { from, to: Math.min(to, from + this.#widthMs) };
  }

  /** To be called when the slice was searched. @param remainingMs how long the query may still take */
  done(slice: TimeRange, tookMs: number, remainingMs: number): void {
    this.#rest = this.#isFromEnd
      ? { from: this.#rest.from, to: slice.from }
      : { from: slice.to, to: this.#rest.to };
    const restMs = this.#rest.to - this.#rest.from;
    const estimatedMs = (tookMs / Math.max(1, slice.to - slice.from)) * restMs;
    if (estimatedMs < remainingMs * safeShare) this.#widthMs = restMs;
    else if (tookMs > longMs) this.#widthMs = Math.max(minWidthMs, Math.floor(this.#widthMs / 2));
    else this.#widthMs *= factor;
  }
}
