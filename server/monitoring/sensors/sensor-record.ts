import { type SavedTop, SensorTop } from "./sensor-top.ts";

/** The number of gaps between batches of which the usual gap is the median. */
const maxGaps = 32;
/** The offset of a clock is measured over this generation and the one before: 10 to 20 minutes in which the sensor sends. */
const offsetGenerationMs = 600_000;

export interface BatchTimes {
  /** When the first batch was kept that Loom remembers; milliseconds since the epoch. */
  readonly firstBatchAt: number;
  /** Milliseconds since the epoch. */
  readonly lastBatchAt: number;
  /** The same time in milliseconds of the chronicle. */
  readonly lastBatchMs: number;
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

/** The times of a sensor as they are saved. */
export interface SavedTimes {
  readonly firstBatchAt: number;
  readonly lastBatchAt: number;
  readonly lastBatchMs: number;
  /** Oldest first. */
  readonly gapsMs: readonly number[];
}

/** The counts of a sensor as they are saved. */
export interface SavedGenerations {
  readonly generation: number;
  readonly top: SavedTop;
  readonly topBefore: SavedTop | null;
}

/** What is recorded of one sensor: the times of its batches, the offset of its clock, and the counts of its events. */
export class SensorRecord {
  /** Whether times or counts changed since they were saved. */
  hasNewTimes = false;
  hasNewCounts = false;
  #firstBatchAt = 0;
  #lastBatchAt: number | undefined;
  #lastBatchMs = 0;
  readonly #gaps = new Float64Array(maxGaps);
  #gapCount = 0;
  #generation = 0;
  #top = new SensorTop();
  #topBefore: SensorTop | undefined;
  #offsetGeneration = 0;
  #leastOffsetMs = Number.POSITIVE_INFINITY;
  #leastOffsetBeforeMs = Number.POSITIVE_INFINITY;

  /**
   * @param atMs of the chronicle
   * @param isAfterStart true if Loom was started since the last batch: how long the sensor waited is not known then
   */
  noteBatch(receivedAt: number, atMs: number, isAfterStart: boolean): void {
    if (this.#lastBatchAt === undefined) this.#firstBatchAt = receivedAt;
    else if (!isAfterStart) this.#gaps[this.#gapCount++ % maxGaps] = atMs - this.#lastBatchMs;
    this.#lastBatchAt = receivedAt;
    this.#lastBatchMs = atMs;
    this.hasNewTimes = true;
  }

  /**
   * @param offsetMs the time from an event's time stamp to its receipt
   * @param elapsedMs of the chronicle
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

  /** In milliseconds of the chronicle; 0 if no batch was kept. */
  get lastBatchMs(): number {
    return this.#lastBatchMs;
  }

  times(): BatchTimes | undefined {
    if (this.#lastBatchAt === undefined) return undefined;
    const leastOffsetMs = Math.min(this.#leastOffsetMs, this.#leastOffsetBeforeMs);
    return {
      firstBatchAt: this.#firstBatchAt,
      lastBatchAt: this.#lastBatchAt,
      lastBatchMs: this.#lastBatchMs,
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

  /** @returns undefined if no batch was kept */
  saveTimes(): SavedTimes | undefined {
    this.hasNewTimes = false;
    if (this.#lastBatchAt === undefined) return undefined;
    const oldest = Math.max(0, this.#gapCount - maxGaps);
    const gapsMs = Array.from({ length: this.#gapCount - oldest }, (_, i) =>
      Math.round(this.#gaps[(oldest + i) % maxGaps] ?? 0),
    );
    return {
      firstBatchAt: this.#firstBatchAt,
      lastBatchAt: this.#lastBatchAt,
      lastBatchMs: Math.round(this.#lastBatchMs),
      gapsMs,
    };
  }

  restoreTimes({ firstBatchAt, lastBatchAt, lastBatchMs, gapsMs }: SavedTimes): void {
    this.#firstBatchAt = firstBatchAt;
    this.#lastBatchAt = lastBatchAt;
    this.#lastBatchMs = lastBatchMs;
    for (const gapMs of gapsMs) this.#gaps[this.#gapCount++ % maxGaps] = gapMs;
  }

  saveCounts(): SavedGenerations {
    this.hasNewCounts = false;
    const topBefore = this.#topBefore?.save() ?? null;
    return { generation: this.#generation, top: this.#top.save(), topBefore };
  }

  restoreCounts({ generation, top, topBefore }: SavedGenerations): void {
    this.#generation = generation;
    this.#top.restore(top);
    if (topBefore) {
      this.#topBefore = new SensorTop();
      this.#topBefore.restore(topBefore);
    }
  }

  #medianGapMs(): number | undefined {
    const sorted = this.#gaps.slice(0, Math.min(this.#gapCount, maxGaps)).sort();
    const upper = sorted[sorted.length >> 1];
    const lower = sorted[(sorted.length - 1) >> 1];
    return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
  }
}
