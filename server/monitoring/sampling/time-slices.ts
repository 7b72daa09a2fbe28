/**
 * Does a part of some work.
 * @param until the time, by `performance.now`, at which it shall stop; a little later is fine
 * @returns true when nothing is left to do
 */
export type Step = (until: number) => boolean;

interface Job {
  readonly step: Step;
  readonly done: PromiseWithResolvers<void>;
}

const defaultSliceMs = 4;

/**
 * Runs work that no request waits for in slices of a few milliseconds. There is one slice in each turn of the event loop,
 * which all jobs share, so that ingest never waits longer than a slice.
 */
export class TimeSlices {
  readonly #sliceMs: number;
  readonly #now: () => number;
  readonly #jobs: Job[] = [];
  #isScheduled = false;

  /** @param now milliseconds, monotonic; what steps compare with their `until` */
  constructor(sliceMs = defaultSliceMs, now: () => number = () => performance.now()) {
    this.#sliceMs = sliceMs;
    this.#now = now;
  }

  /**
   * Calls `step` again and again, in turn with the steps of other jobs, until it returns true. It is never called before
   * `run` returns: a caller that handles a request answers it first.
   * @returns rejects with what `step` throws
   */
  run(step: Step): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#jobs.push({ step, done });
    this.#schedule();
    return done.promise;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#jobs.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => this.#runSlice());
  }

  #runSlice(): void {
    this.#isScheduled = false;
    const until = this.#now() + this.#sliceMs;
    do {
      const job = this.#jobs.shift();
      if (!job) break;
      try {
        if (job.step(until)) job.done.resolve();
        else this.#jobs.push(job);
      } catch (error) {
        job.done.reject(error);
      }
    } while (this.#now() < until);
    this.#schedule();
  }
}
