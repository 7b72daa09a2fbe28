import type { ErrorClass } from "../delivery/attempt.ts";
import type { OutputReport } from "../output-report.ts";

/** A batch that is being written. */
export interface Write {
  readonly events: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A shorter time without a write does not count as idle, because sensors send every few seconds. */
const idleAfterMs = 1_000;

/** Counts what stdout writes, for its report. A batch costs two readings of the clock and a few additions. */
export class StdoutAccount {
  readonly #now: () => number;
  /** In the order in which they began. */
  readonly #writes = new Set<Write>();
  #writtenEvents = 0;
  /** The first write after an idle time, the start, or the last recovery. */
  #busySince: number;
  #lastWrittenAt: number | undefined;
  #trouble: { readonly reason: string; readonly since: number } | undefined;
  #failures = 0;
  #lastError: OutputReport["lastError"];

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
    this.#busySince = now();
  }

  begin(events: number): Write {
    const since = this.#now();
    if (this.#writes.size === 0 && this.#idleSince() <= since) this.#busySince = since;
    const write = { events, since };
    this.#writes.add(write);
    return write;
  }

  end(write: Write, isWritten: boolean): void {
    this.#writes.delete(write);
    if (!isWritten) return;
    this.#writtenEvents += write.events;
    this.#lastWrittenAt = this.#now();
  }

  /** Nothing can be written until `recovered` is called. */
  failed(errorClass: ErrorClass, reason: string): void {
    const at = this.#now();
    const since = this.#trouble?.reason === reason ? this.#trouble.since : at;
    this.#trouble = { reason, since };
    this.#failures++;
    this.#lastError = { class: errorClass, reason, at };
  }

  recovered(): void {
    this.#trouble = undefined;
    this.#failures = 0;
    this.#busySince = this.#now();
  }

  /** @param pendingBytes the size of the batches that are being written */
  report(pendingBytes: number): OutputReport {
    const [oldest] = this.#writes;
    let waitingEvents = 0;
    for (const { events } of this.#writes) waitingEvents += events;
    return {
      output: "stdout",
      keptEvents: this.#writtenEvents,
      deliveredEvents: this.#writtenEvents,
      deadEvents: 0,
      droppedEvents: 0,
      damagedEvents: 0,
      waitingEvents,
      waitingBytes: pendingBytes,
      oldestReceivedAt: oldest?.since,
      leavesAt: undefined,
      retries: 0,
      deadLetters: 0,
      ...this.#state(),
      failures: this.#failures,
      nextTryAt: undefined,
      lastError: this.#lastError,
      lastDeliveredAt: this.#lastWrittenAt,
    };
  }

  #state(): Pick<OutputReport, "state" | "since" | "reason"> {
    if (this.#trouble) return { state: "holding", ...this.#trouble };
    const isIdle = this.#writes.size === 0 && this.#idleSince() <= this.#now();
    if (!isIdle) return { state: "delivering", since: this.#busySince, reason: undefined };
    const since = Math.max(this.#busySince, this.#lastWrittenAt ?? this.#busySince);
    return { state: "idle", since, reason: undefined };
  }

  #idleSince(): number {
    return (this.#lastWrittenAt ?? Number.NEGATIVE_INFINITY) + idleAfterMs;
  }
}
