/** Works until this time (of performance.now) at most, or a little longer; true: nothing is left to do. */
export type Step = (until: number) => boolean;

/**
 * Turns for work that nobody waits for: one slice of it a turn of the event loop, whoever it belongs to, so that ingest
 * never waits longer than a slice.
 */
export interface Turns {
  /** Calls `step`, in turn with the others that are under way, until it returns true. */
  run(step: Step): Promise<void>;
}

const defaultSliceMs = 4;

export function createTurns(sliceMs = defaultSliceMs): Turns {
  const waiting: { readonly step: Step; readonly done: PromiseWithResolvers<void> }[] = [];
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(runSlice);
  }

  function runSlice(): void {
    isScheduled = false;
    const until = performance.now() + sliceMs;
    do {
      const next = waiting.shift();
      if (!next) break;
      try {
        if (next.step(until)) next.done.resolve();
        else waiting.push(next);
      } catch (error) {
        next.done.reject(error);
      }
    } while (performance.now() < until);
    schedule();
  }

  return {
    run(step) {
      const done = Promise.withResolvers<void>();
      waiting.push({ step, done });
      // Not at once: whoever calls from a request is to answer it first.
      schedule();
      return done.promise;
    },
  };
}
