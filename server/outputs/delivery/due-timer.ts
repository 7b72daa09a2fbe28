import type { OutboxReader } from "../../pipeline.ts";
import type { DeliveryClock } from "./clock.ts";

export interface DueLimits {
  /** A batch is due when this many events are pending, */
  readonly maxEvents: number;
  /** or this many bytes of events, */
  readonly maxBytes: number;
  /** or when the oldest pending event was received this long ago. */
  readonly flushIntervalMs: number;
}

export interface DueTimerOptions {
  readonly reader: Pick<OutboxReader, "waiting" | "whenAppended">;
  readonly limits: DueLimits;
  readonly clock: DeliveryClock;
  /** Ends every wait. */
  readonly stopping: AbortSignal;
  /** Called when no batch is due. */
  readonly onIdle: (pendingEvents: number) => void;
}

/** Decides when the next batch is due. */
export class DueTimer {
  readonly #options: DueTimerOptions;
  /** By the monotonic clock: since when events are pending for the batch that is being collected. */
  #pendingSince: number | undefined;
  #leavesAt: number | undefined;
  #endWait = () => {};

  constructor(options: DueTimerOptions) {
    this.#options = options;
  }

  /** When the batch that is being collected leaves at the latest, in milliseconds since the epoch; undefined: there is none. */
  get leavesAt(): number | undefined {
    return this.#leavesAt;
  }

  /** Ends the wait that is in progress: `untilDue` looks again. */
  wake(): void {
    this.#endWait();
  }

  /** Called when the batch was taken from the outbox: the wait for the next one begins. */
  restart(): void {
    this.#pendingSince = undefined;
  }

  /**
   * Waits until a batch is due, but not past a moment at which there is other work.
   * @param otherWorkAt tells this moment by the monotonic clock; read again after each wait
   * @returns whether a batch is due. While stopping, every pending event is due
   */
  async untilDue(otherWorkAt: () => number): Promise<boolean> {
    const { reader, limits, clock, stopping, onIdle } = this.#options;
    for (;;) {
      this.#leavesAt = undefined;
      const { events, bytes, oldestReceivedAt } = reader.waiting();
      if (events >= limits.maxEvents || bytes >= limits.maxBytes) return true;
      if (stopping.aborted) return events > 0;
      onIdle(events);
      let waitMs = otherWorkAt() - clock.monotonic();
      if (waitMs <= 0) return false;
      if (events > 0) {
        const flushMs = this.#flushMs(oldestReceivedAt);
        if (flushMs <= 0) return true;
        this.#leavesAt = clock.now() + flushMs;
        waitMs = Math.min(waitMs, flushMs);
      }
      await this.#untilAppended(waitMs);
    }
  }

  /**
   * The time until the oldest event is as old as the flush interval. Its time of receipt may come from another clock
   * (before a restart or a correction of the clock), so the time for which it has been seen here counts as well.
   */
  #flushMs(oldestReceivedAt: number | undefined): number {
    const { limits, clock } = this.#options;
    this.#pendingSince ??= clock.monotonic();
    const receivedMs = clock.now() - (oldestReceivedAt ?? clock.now());
    return limits.flushIntervalMs - Math.max(receivedMs, clock.monotonic() - this.#pendingSince);
  }

  async #untilAppended(maxWaitMs: number): Promise<void> {
    const { reader, clock, stopping } = this.#options;
    const over = new AbortController();
    const end = () => over.abort();
    this.#endWait = end;
    stopping.addEventListener("abort", end);
    await Promise.race([reader.whenAppended(over.signal), clock.sleep(maxWaitMs, over.signal)]);
    stopping.removeEventListener("abort", end);
    end();
  }
}
