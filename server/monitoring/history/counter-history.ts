import type { Series } from "./series.ts";

/*
 * The history of counters that only grow: how much each of them grew in each of the last steps of time, in two rings with
 * different step lengths. Steps are measured by the monotonic clock, so that setting the wall clock does not change them.
 * The wall clock is used only to tell when a step was.
 *
 * Counters are read at each sample (one timer, see history.ts). If a step ends between two samples, the growth between them
 * is assumed to be even and is rounded down to whole events. Therefore the sum of all steps is exact, and nothing is counted
 * twice. Every counter is assumed to have been 0 when its timeline began.
 */

const shortStepMs = 10_000;
/** One hour. */
const shortSteps = 360;
const longStepMs = 300_000;
/** One day. */
const longSteps = 288;

const shortPerLong = longStepMs / shortStepMs;
const shortPerMinute = 60_000 / shortStepMs;
/** One slot more than is shown, because an hour or a day that ends now begins within a step. */
const shortSlots = shortSteps + 1;
const longSlots = longSteps + 1;
/** The shortest time for a rate: two requests 10 ms after the start are not 200 a second. */
const minRateMs = 1000;
const maxUint32 = 0xffff_ffff;

export interface HistoryClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since an arbitrary moment; never goes back. */
  monotonic(): number;
}

export const systemHistoryClock: HistoryClock = { now: Date.now, monotonic: () => performance.now() };

/** The steps that all counters share. The timeline begins when it is created. */
export class Timeline {
  readonly #clock: HistoryClock;
  readonly #beginning: number;
  readonly #beforeSample: () => void;
  readonly #counters = new Map<string, CounterHistory>();
  #sampledAt = 0;
  #completed = 0;

  /** @param beforeSample called before each sample; may `track` new counters */
  constructor(clock: HistoryClock, beforeSample: () => void = () => {}) {
    this.#clock = clock;
    this.#beginning = clock.monotonic();
    this.#beforeSample = beforeSample;
  }

  /** Milliseconds since the beginning. */
  get elapsedMs(): number {
    return this.#clock.monotonic() - this.#beginning;
  }

  /** The number of short steps that were over at the last sample. */
  get completedSteps(): number {
    return this.#completed;
  }

  /** @param atMs since the beginning. @returns milliseconds since the epoch */
  timeOf(atMs: number): number {
    return Math.round(this.#clock.now() - (this.elapsedMs - atMs));
  }

  /**
   * The history of a counter: the existing one with this name, or a new one. A history takes 3 KB and is never removed, so
   * names must come from the configuration.
   * @param read returns the counter's total, which never decreases
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

  /** Reads every counter if a step has ended since the last sample, because the timer may be late. */
  catchUp(): void {
    if (Math.floor(this.elapsedMs / shortStepMs) > this.#completed) this.sample();
  }
}

/** The history of one counter. */
export class CounterHistory {
  readonly #timeline: Timeline;
  readonly #read: () => number;
  readonly #short = new Uint32Array(shortSlots);
  readonly #long = new Uint32Array(longSlots);
  #sampledTotal = 0;
  /** The total at the end of the last completed short step. */
  #stepTotal = 0;

  constructor(timeline: Timeline, read: () => number) {
    this.#timeline = timeline;
    this.#read = read;
  }

  get total(): number {
    return this.#read();
  }

  /** Called only by the timeline. Times are milliseconds since its beginning. */
  sample(lastAtMs: number, atMs: number, lastCompleted: number, completed: number): void {
    const total = Math.max(this.#read(), this.#sampledTotal);
    const perMs = atMs > lastAtMs ? (total - this.#sampledTotal) / (atMs - lastAtMs) : 0;
    const totalAt = (ms: number) => Math.floor(this.#sampledTotal + perMs * (ms - lastAtMs));
    let before = this.#stepTotal;
    let step = lastCompleted;
    // After a pause of more than a day, all earlier steps are older than what is shown. They are skipped.
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

  /** The growth in the last `windowMs`, at most an hour. Of a step that began earlier, a proportional part is counted. */
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

  /** The growth per second over the last `windowMs` (at most an hour), or since the start if that is shorter. */
  perSecond(windowMs: number): number {
    const overMs = Math.max(minRateMs, Math.min(windowMs, this.#timeline.elapsedMs));
    return this.countOver(overMs) / (overMs / 1000);
  }

  /** The growth in each short step of the last hour, without the step that is not over yet. */
  lastHour(): Series {
    this.#timeline.catchUp();
    return this.#series(this.#short, shortStepMs, shortSteps, this.#timeline.completedSteps);
  }

  /** The growth in each long step of the last day, without the step that is not over yet. */
  lastDay(): Series {
    this.#timeline.catchUp();
    const completed = Math.floor(this.#timeline.completedSteps / shortPerLong);
    return this.#series(this.#long, longStepMs, longSteps, completed);
  }

  /** The growth in each minute of the last hour, oldest first; 0 for minutes before the start. */
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

/** `part` divided by `whole` in each step, 0 to 1; null for steps in which `whole` is 0 or unknown. */
export function shareOf(part: Series, whole: Series): Series {
  const values = whole.values.map((all, i) => {
    const some = part.values[i] ?? null;
    return all === null || some === null || all === 0 ? null : Math.min(1, some / all);
  });
  return { ...whole, values };
}
