import type { Chronicle } from "./chronicle.ts";
import type { Series } from "./series.ts";
import { StepRing, shortStepMs, stepLevels } from "./step-ring.ts";

/*
 * The history of a counter that only grows: how much it grew in each of the last steps of time, in rings with different step
 * lengths.
 *
 * Counters are read at each sample (one timer, see history.ts). If a step ends between two samples, the growth between them
 * is assumed to be even and is rounded down to whole events. Therefore the sum of all steps is exact, and nothing is counted
 * twice. Every counter is assumed to have been 0 at the start of the process.
 */

const shortPerMinute = 60_000 / shortStepMs;
const minutesShown = 60;
/** After a pause of the process, no growth is assigned to steps that were over this long ago. */
const maxShortStepsAtOnce = 86_400_000 / shortStepMs;
/** The shortest time for a rate: two requests 10 ms after the start are not 200 a second. */
const minRateMs = 1000;

/** What the histories of all counters share. */
export interface SharedSteps {
  readonly chronicle: Chronicle;
  /** The number of short steps that were over at the last sample. */
  readonly completedSteps: number;
  /** Samples all counters if a step has ended since the last sample. */
  catchUp(): void;
  /** Whether Loom ran in each of the steps of a level that are shown now. */
  runningIn(level: number): readonly boolean[];
}

/** The span of two samples. Times are milliseconds of the chronicle, steps are short ones. */
export interface SampleSpan {
  readonly lastAtMs: number;
  readonly atMs: number;
  readonly lastCompleted: number;
  readonly completed: number;
}

export class CounterHistory {
  readonly rings = stepLevels.map((level) => new StepRing(level));
  readonly #steps: SharedSteps;
  #read: () => number = () => 0;
  #sampledTotal = 0;
  /** The total at the end of the last completed short step; negative if that step began before the start of the process. */
  #stepTotal: number;

  /** @param sinceStep what the present step had before the start of the process */
  constructor(steps: SharedSteps, sinceStep = 0) {
    this.#steps = steps;
    this.#stepTotal = -sinceStep;
  }

  /** @param read returns the counter's total since the start of the process, which never decreases */
  readFrom(read: () => number): void {
    this.#read = read;
  }

  /** The total since the start of the process. */
  get total(): number {
    return this.#read();
  }

  /** The growth in the short step that is not over yet. */
  get sinceStep(): number {
    return this.total - this.#stepTotal;
  }

  /** Called only by the timeline. */
  sample({ lastAtMs, atMs, lastCompleted, completed }: SampleSpan): void {
    for (const ring of this.rings) ring.advance(lastCompleted, completed);
    const total = Math.max(this.#read(), this.#sampledTotal);
    const growth = total - this.#sampledTotal;
    // The division comes last: at the time of a sample, the result is exact.
    const totalAt = (ms: number) =>
      this.#sampledTotal + Math.floor((growth * (ms - lastAtMs)) / Math.max(1, atMs - lastAtMs));
    let before = this.#stepTotal;
    let step = lastCompleted;
    if (step < completed - maxShortStepsAtOnce) {
      step = completed - maxShortStepsAtOnce;
      before = totalAt(step * shortStepMs);
    }
    for (; step < completed; step++) {
      const after = Math.min(Math.max(totalAt((step + 1) * shortStepMs), before), total);
      this.#addStep(step, after - before, completed);
      before = after;
    }
    this.#stepTotal = before;
    this.#sampledTotal = total;
  }

  /**
   * The growth in the last `windowMs`, at most an hour. Of a step that began earlier, a part is counted in proportion to the
   * time that Loom ran.
   */
  countOver(windowMs: number): number {
    this.#steps.catchUp();
    const { chronicle, completedSteps } = this.#steps;
    const now = chronicle.elapsedMs;
    const from = Math.max(0, now - windowMs);
    const stepEnd = completedSteps * shortStepMs;
    const runningShare = (fromMs: number, stepMs: number, toMs: number) => {
      const running = chronicle.runningMs(stepMs, toMs);
      return running === 0 ? 0 : chronicle.runningMs(Math.max(fromMs, stepMs), toMs) / running;
    };
    if (from >= stepEnd) return this.sinceStep * runningShare(from, stepEnd, now);
    const ring = this.#ring(0);
    const first = Math.max(Math.floor(from / shortStepMs), completedSteps - ring.size, 0);
    let count = this.sinceStep;
    for (let step = first + 1; step < completedSteps; step++) count += ring.at(step);
    return count + ring.at(first) * runningShare(from, first * shortStepMs, (first + 1) * shortStepMs);
  }

  /** The growth per second over the time that Loom ran in the last `windowMs` (at most an hour). */
  perSecond(windowMs: number): number {
    const now = this.#steps.chronicle.elapsedMs;
    const overMs = Math.max(minRateMs, windowMs);
    const runningMs = this.#steps.chronicle.runningMs(now - overMs, now);
    return this.countOver(overMs) / (Math.max(minRateMs, runningMs) / 1000);
  }

  /** The growth in each 10 s of the last hour, without the step that is not over yet. */
  lastHour(): Series {
    return this.#series(0);
  }

  /** The growth in each 5 minutes of the last 24 hours. */
  lastDay(): Series {
    return this.#series(1);
  }

  /** The growth in each hour of the last 31 days. */
  lastMonth(): Series {
    return this.#series(2);
  }

  /** The growth in each day (UTC) of the last 366 days. */
  lastYear(): Series {
    return this.#series(3);
  }

  /** The growth in each minute of the last hour, oldest first; null for minutes in which Loom did not run. */
  perMinute(): (number | null)[] {
    const { values } = this.lastHour();
    return Array.from({ length: minutesShown }, (_, minute) => {
      const steps = values.slice(minute * shortPerMinute, (minute + 1) * shortPerMinute);
      return steps.reduce((sum, value) => (value === null ? sum : (sum ?? 0) + value), null);
    });
  }

  #addStep(shortStep: number, amount: number, present: number): void {
    if (amount === 0) return;
    for (const ring of this.rings) {
      const step = ring.stepOf(shortStep);
      if (ring.has(step, present)) ring.add(step, amount);
    }
  }

  #series(level: number): Series {
    this.#steps.catchUp();
    const { chronicle } = this.#steps;
    const { stepMs, steps } = stepLevels[level] ?? stepLevels[0];
    const ring = this.#ring(level);
    const first = ring.stepOf(this.#steps.completedSteps) - steps;
    const values = this.#steps
      .runningIn(level)
      .map((isRunning, i) => (isRunning ? ring.at(first + i) : null));
    const firstMs = first * stepMs;
    return { startAt: chronicle.timeOf(firstMs), stepMs, values, pauses: chronicle.pausesSince(firstMs) };
  }

  #ring(level: number): StepRing {
    const ring = this.rings[level];
    if (!ring) throw new RangeError(`no level ${level}`);
    return ring;
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
