import type { Series } from "./series.ts";

/*
 * What counters that only grow said over time: for each, how much was added in each of the last steps, in rings of two
 * step lengths. Steps go by the monotonic clock, so that a wall clock that is set does not tear them; the wall clock
 * only says when they were.
 *
 * A counter is read at the samples (one timer, see history.ts). Where a step ends between two samples, what was counted
 * between them is taken as spread evenly, rounded down to whole events; so sums over steps are exact and nothing is
 * counted twice. Every counter is taken to have been 0 when its timeline began.
 */

const shortStepMs = 10_000;
/** An hour. */
const shortSteps = 360;
const longStepMs = 300_000;
/** A day. */
const longSteps = 288;

const shortPerLong = longStepMs / shortStepMs;
const shortPerMinute = 60_000 / shortStepMs;
/** One more than is shown: an hour or a day that ends now begins within it. */
const shortSlots = shortSteps + 1;
const longSlots = longSteps + 1;
/** Rates of the first second are over this: two requests 10 ms after the start are not 200 a second. */
const minRateMs = 1000;
const maxUint32 = 0xffff_ffff;

export interface HistoryClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some moment; never set back. */
  monotonic(): number;
}

export const systemHistoryClock: HistoryClock = { now: Date.now, monotonic: () => performance.now() };

/** The steps that several counters share; it begins when it is made. */
export class Timeline {
  readonly #clock: HistoryClock;
  readonly #beginning: number;
  readonly #beforeSample: () => void;
  readonly #counters = new Map<string, CounterHistory>();
  #sampledAt = 0;
  #completed = 0;

  /** @param beforeSample may `track` counters that have come into being. */
  constructor(clock: HistoryClock, beforeSample: () => void = () => {}) {
    this.#clock = clock;
    this.#beginning = clock.monotonic();
    this.#beforeSample = beforeSample;
  }

  /** Milliseconds since the beginning. */
  get elapsedMs(): number {
    return this.#clock.monotonic() - this.#beginning;
  }

  /** Short steps that are over, as of the last sample. */
  get completedSteps(): number {
    return this.#completed;
  }

  /** @param atMs since the beginning. @returns milliseconds since the epoch */
  timeOf(atMs: number): number {
    return Math.round(this.#clock.now() - (this.elapsedMs - atMs));
  }

  /**
   * The history of a counter: a new one, or the one that has this name already. It takes 3 KB and stays for good, so only
   * for names from the configuration.
   * @param read tells the counter's total, which never falls
   */
  track(name: string, read: () => number): CounterHistory {
    let counter = this.#counters.get(name);
    if (!counter) {
      counter = new CounterHistory(this, read);
      this.#counters.set(name, counter);
    }
    return counter;
  }

  /** Reads every counter. */
  sample(): void {
    this.#beforeSample();
    const at = this.elapsedMs;
    const completed = Math.floor(at / shortStepMs);
    for (const counter of this.#counters.values())
      counter.sample(this.#sampledAt, at, this.#completed, completed);
    this.#sampledAt = at;
    this.#completed = completed;
  }

  /** Reads every counter if a step has ended since they were read: the timer may be late. */
  catchUp(): void {
    if (Math.floor(this.elapsedMs / shortStepMs) > this.#completed) this.sample();
  }
}

/** One counter of a timeline. */
export class CounterHistory {
  readonly #timeline: Timeline;
  readonly #read: () => number;
  readonly #short = new Uint32Array(shortSlots);
  readonly #long = new Uint32Array(longSlots);
  #sampledTotal = 0;
  /** At the end of the last completed short step. */
  #stepTotal = 0;

  constructor(timeline: Timeline, read: () => number) {
    this.#timeline = timeline;
    this.#read = read;
  }

  get total(): number {
    return this.#read();
  }

  /** Called by the timeline alone; times are milliseconds since its beginning. */
  sample(lastAtMs: number, atMs: number, lastCompleted: number, completed: number): void {
    const total = Math.max(this.#read(), this.#sampledTotal);
    const perMs = atMs > lastAtMs ? (total - this.#sampledTotal) / (atMs - lastAtMs) : 0;
    const totalAt = (ms: number) => Math.floor(this.#sampledTotal + perMs * (ms - lastAtMs));
    let before = this.#stepTotal;
    let step = lastCompleted;
    // After a standstill of more than a day what came before is out of sight, and not walked through.
    const firstKept = completed - longSlots * shortPerLong;
    if (step < firstKept) {
      step = firstKept;
      before = totalAt(step * shortStepMs);
      this.#long.fill(0);
    }
    for (; step < completed; step++) {
      const after = Math.min(Math.max(totalAt((step + 1) * shortStepMs), before), total);
      this.#addStep(step, after - before);
      before = after;
    }
    this.#stepTotal = before;
    this.#sampledTotal = total;
  }

  /** How much was added in the last `windowMs`, an hour at most; a step that is cut counts by its share. */
  countOver(windowMs: number): number {
    this.#timeline.catchUp();
    const now = this.#timeline.elapsedMs;
    const completed = this.#timeline.completedSteps;
    const from = Math.max(0, now - windowMs);
    const sinceStep = this.total - this.#stepTotal;
    const stepEnd = completed * shortStepMs;
    if (from >= stepEnd) return now > stepEnd ? (sinceStep * (now - from)) / (now - stepEnd) : 0;
    const first = Math.max(Math.floor(from / shortStepMs), completed - shortSlots, 0);
    let count = sinceStep;
    for (let step = first + 1; step < completed; step++) count += this.#short[step % shortSlots] ?? 0;
    const shareOfFirst = Math.min(1, first + 1 - from / shortStepMs);
    return count + (this.#short[first % shortSlots] ?? 0) * shareOfFirst;
  }

  /** A second, over the last `windowMs` (an hour at most), or over the time since the start where that is shorter. */
  perSecond(windowMs: number): number {
    const overMs = Math.max(minRateMs, Math.min(windowMs, this.#timeline.elapsedMs));
    return this.countOver(overMs) / (overMs / 1000);
  }

  /** What was added in each short step of the last hour; only steps that are over. */
  lastHour(): Series {
    this.#timeline.catchUp();
    return this.#series(this.#short, shortStepMs, shortSteps, this.#timeline.completedSteps);
  }

  /** What was added in each long step of the last day; only steps that are over. */
  lastDay(): Series {
    this.#timeline.catchUp();
    const completed = Math.floor(this.#timeline.completedSteps / shortPerLong);
    return this.#series(this.#long, longStepMs, longSteps, completed);
  }

  /** What was added in each minute of the last hour, the oldest first; 0 where Loom was not running yet. */
  perMinute(): number[] {
    this.#timeline.catchUp();
    const first = this.#timeline.completedSteps - shortSteps;
    const minutes: number[] = new Array(shortSteps / shortPerMinute).fill(0);
    for (let i = Math.max(0, -first); i < shortSteps; i++) {
      const minute = Math.floor(i / shortPerMinute);
      minutes[minute] = (minutes[minute] ?? 0) + (this.#short[(first + i) % shortSlots] ?? 0);
    }
    return minutes;
  }

  #addStep(step: number, added: number): void {
    const amount = Math.min(added, maxUint32);
    this.#short[step % shortSlots] = amount;
    const slot = Math.floor(step / shortPerLong) % longSlots;
    const soFar = step % shortPerLong === 0 ? 0 : (this.#long[slot] ?? 0);
    this.#long[slot] = Math.min(soFar + amount, maxUint32);
  }

  #series(ring: Uint32Array, stepMs: number, steps: number, completed: number): Series {
    const first = completed - steps;
    const values = Array.from({ length: steps }, (_, i) =>
      first + i < 0 ? null : (ring[(first + i) % ring.length] ?? null),
    );
    return { startAt: this.#timeline.timeOf(first * stepMs), stepMs, values };
  }
}

/** The share that `part` has of `whole` in each step, 0 to 1; null where there was nothing to share. */
export function shareOf(part: Series, whole: Series): Series {
  const values = whole.values.map((all, i) => {
    const some = part.values[i] ?? null;
    return all === null || some === null || all === 0 ? null : Math.min(1, some / all);
  });
  return { ...whole, values };
}
