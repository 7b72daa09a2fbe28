import type { Log } from "../telemetry/log.ts";

export interface StallWatchOptions {
  readonly log: Log;
  /** Called once when the disk stalls, with the reason for the sensors' requests and `/ready`. */
  readonly onStalled: (reason: string) => void;
}

/** A disk that makes no progress for this time counts as stalled. It is shorter than the 15 s that a sensor waits for its answer. */
const stalledAfterMs = 5_000;
const tickMs = 500;

/**
 * Notices a disk that does not respond: a call that neither succeeds nor fails. It compares the number of steps at each tick
 * of a timer, so that the calls themselves cost nothing, and so that a blocked event loop does not count as a blocked disk.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Changes whenever a call begins or ends. */
  #steps = 0;
  #isBusy = false;
  #stepsAtTick = 0;
  #ticksWithoutStep = 0;
  #problem: string | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  /** Why the disk cannot be used now; undefined if it responds, or if nothing is asked of it. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Calls to the disk begin. */
  begin(): void {
    this.#isBusy = true;
    this.#steps++;
  }

  /** A call has ended, and the next one begins. */
  progress(): void {
    this.#steps++;
    this.#respond();
  }

  /** The last call has ended. */
  end(): void {
    this.#isBusy = false;
    this.#respond();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const hasMoved = !this.#isBusy || this.#steps !== this.#stepsAtTick;
    this.#stepsAtTick = this.#steps;
    this.#ticksWithoutStep = hasMoved ? 0 : this.#ticksWithoutStep + 1;
    if (this.#problem !== undefined || this.#ticksWithoutStep * tickMs < stalledAfterMs) return;
    this.#problem = `outbox: the disk has not responded for ${stalledAfterMs / 1000} s`;
    this.#options.log.error("the disk does not respond; batches are refused until it does", {
      reason: this.#problem,
    });
    this.#options.onStalled(this.#problem);
  }

  #respond(): void {
    if (this.#problem === undefined) return;
    this.#problem = undefined;
    this.#ticksWithoutStep = 0;
    this.#options.log.info("the disk responds again");
  }
}
