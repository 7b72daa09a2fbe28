import type { DeliveryClock } from "../../server/outputs/delivery/clock.ts";
import { until } from "./until.ts";

/** A clock that advances only when a test says so. */
export interface ManualClock extends DeliveryClock {
  /** Advances the time, and ends the sleeps that are over by then. */
  advance(ms: number): void;
  /** Waits for a sleep, and advances the time until the first sleep ends. @returns by how much */
  toNextWaking(): Promise<number>;
  /** The lengths of all sleeps that were begun, including those that have ended. */
  readonly sleptMs: readonly number[];
  /** The value that `random` returns. */
  chance: number;
  /** Sets only the wall clock. */
  setWall(ms: number): void;
}

export function createManualClock(startMs = 1_000_000): ManualClock {
  let elapsedMs = 0;
  let wallMs = startMs;
  const sleeping = new Set<{ readonly at: number; readonly wake: () => void }>();
  const sleptMs: number[] = [];
  const clock: ManualClock = {
    sleptMs,
    chance: 0.5,
    now: () => wallMs,
    monotonic: () => elapsedMs,
    random: () => clock.chance,
    setWall(ms) {
      wallMs = ms;
    },
    sleep(ms, signal) {
      if (signal.aborted) return Promise.resolve();
      sleptMs.push(ms);
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => {
        sleeping.delete(sleep);
        resolve();
      };
      const sleep = { at: elapsedMs + ms, wake };
      sleeping.add(sleep);
      signal.addEventListener("abort", wake, { once: true });
      return promise;
    },
    advance(ms) {
      elapsedMs += ms;
      wallMs += ms;
      for (const sleep of [...sleeping]) if (sleep.at <= elapsedMs) sleep.wake();
    },
    async toNextWaking() {
      await until("a sleep", () => sleeping.size > 0);
      const ms = Math.min(...[...sleeping].map(({ at }) => at)) - elapsedMs;
      clock.advance(ms);
      return ms;
    },
  };
  return clock;
}
