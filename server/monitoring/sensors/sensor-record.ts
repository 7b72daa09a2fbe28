import { SensorTop } from "./sensor-top.ts";

/** The number of gaps between batches of which the usual gap is the median. */
const maxGaps = 32;
/** The offset of a clock is measured over this generation and the one before: 10 to 20 minutes in which the sensor sends. */
const offsetGenerationMs = 600_000;

export interface BatchTimes {
  /** Milliseconds since the epoch. */
  readonly lastBatchAt: number;
  /** The same time by the monotonic clock, in milliseconds. */
  readonly lastBatchMonotonicAt: number;
  /** The median of the last gaps; undefined if there was only one batch. */
  readonly usualGapMs: number | undefined;
  /** The number of gaps that the median is taken from, at most 32. */
  readonly gapCount: number;
  /**
   * How far the sensor's clock is behind: the seconds from an event's time stamp to its receipt, the smallest value of the
   * last minutes. Most events are older, because a batch waits at the sensor before it is sent. Negative if the clock is
   * ahead; undefined if no event had a time stamp.
   */
  readonly clockBehindSeconds: number | undefined;
}

/** What is recorded of one sensor: the times of its batches, the offset of its clock, and the counts of its events. */
export class SensorRecord {
  #lastBatchAt: number | undefined;
  #lastBatchMonotonicAt = 0;
  readonly #gaps = new Float64Array(maxGaps);
  #gapCount = 0;
  #generation = 0;
  #top = new SensorTop();
  #topBefore: SensorTop | undefined;
  #offsetGeneration = 0;
  #leastOffsetMs = Number.POSITIVE_INFINITY;
  #leastOffsetBeforeMs = Number.POSITIVE_INFINITY;

  noteBatch(receivedAt: number, monotonicAt: number): void {
    if (this.#lastBatchAt !== undefined)
      this.#gaps[this.#gapCount++ % maxGaps] = monotonicAt - this.#lastBatchMonotonicAt;
    this.#lastBatchAt = receivedAt;
    this.#lastBatchMonotonicAt = monotonicAt;
  }

  /**
   * @param offsetMs the time from an event's time stamp to its receipt
   * @param elapsedMs since the start, monotonic
   */
  noteOffset(offsetMs: number, elapsedMs: number): void {
    const generation = Math.floor(elapsedMs / offsetGenerationMs);
    if (generation !== this.#offsetGeneration) {
      const isNext = generation === this.#offsetGeneration + 1;
      this.#leastOffsetBeforeMs = isNext ? this.#leastOffsetMs : Number.POSITIVE_INFINITY;
      this.#leastOffsetMs = Number.POSITIVE_INFINITY;
      this.#offsetGeneration = generation;
    }
    if (offsetMs < this.#leastOffsetMs) this.#leastOffsetMs = offsetMs;
  }

  times(): BatchTimes | undefined {
    if (this.#lastBatchAt === undefined) return undefined;
    const leastOffsetMs = Math.min(this.#leastOffsetMs, this.#leastOffsetBeforeMs);
    return {
      lastBatchAt: this.#lastBatchAt,
      lastBatchMonotonicAt: this.#lastBatchMonotonicAt,
      usualGapMs: this.#medianGapMs(),
      gapCount: Math.min(this.#gapCount, maxGaps),
      clockBehindSeconds: Number.isFinite(leastOffsetMs) ? Math.round(leastOffsetMs / 1000) : undefined,
    };
  }

  /** The counts of a generation, which becomes the current one. */
  topAt(generation: number): SensorTop {
    if (generation !== this.#generation) {
      this.#topBefore = generation === this.#generation + 1 ? this.#top : undefined;
      this.#top = new SensorTop();
      this.#generation = generation;
    }
    return this.#top;
  }

  /** The counts of a generation and of the one before it. */
  topOver(generation: number): SensorTop {
    const both = new SensorTop();
    both.merge(this.topAt(generation));
    if (this.#topBefore) both.merge(this.#topBefore);
    return both;
  }

  #medianGapMs(): number | undefined {
    const sorted = this.#gaps.slice(0, Math.min(this.#gapCount, maxGaps)).sort();
    const upper = sorted[sorted.length >> 1];
    const lower = sorted[(sorted.length - 1) >> 1];
    return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
  }
}
