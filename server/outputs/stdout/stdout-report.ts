import type { ErrorClass } from "../delivery/attempt.ts";
import type { OutputReport } from "../output-report.ts";

/** A batch that is being written. */
export interface Write {
  readonly events: number;
  readonly since: number;
}

/** Counts what stdout writes, for its report. A batch costs two readings of the clock and a few additions. */
export interface StdoutAccount {
  begin(events: number): Write;
  end(write: Write, isWritten: boolean): void;
  /** Nothing can be written until `recovered` is called. */
  failed(errorClass: ErrorClass, reason: string): void;
  recovered(): void;
  /** @param pendingBytes the size of the batches that are being written */
  report(pendingBytes: number): OutputReport;
}

/** A shorter time without a write does not count as idle, because sensors send every few seconds. */
const idleAfterMs = 1_000;

/** @param now milliseconds since the epoch */
export function createStdoutAccount(now: () => number): StdoutAccount {
  /** In the order in which they began. */
  const writes = new Set<Write>();
  let writtenEvents = 0;
  /** The first write after an idle time, the start, or the last recovery. */
  let busySince = now();
  let lastWrittenAt: number | undefined;
  let trouble: { readonly reason: string; readonly since: number } | undefined;
  let failures = 0;
  let lastError: OutputReport["lastError"];

  const idleSince = () => (lastWrittenAt ?? Number.NEGATIVE_INFINITY) + idleAfterMs;

  function state(): Pick<OutputReport, "state" | "since" | "reason"> {
    if (trouble) return { state: "holding", ...trouble };
    const isIdle = writes.size === 0 && idleSince() <= now();
    if (!isIdle) return { state: "delivering", since: busySince, reason: undefined };
    return { state: "idle", since: Math.max(busySince, lastWrittenAt ?? busySince), reason: undefined };
  }

  return {
    begin(events) {
      const since = now();
      if (writes.size === 0 && idleSince() <= since) busySince = since;
      const write = { events, since };
      writes.add(write);
      return write;
    },
    end(write, isWritten) {
      writes.delete(write);
      if (!isWritten) return;
      writtenEvents += write.events;
      lastWrittenAt = now();
    },
    failed(errorClass, reason) {
      const at = now();
      trouble = { reason, since: trouble?.reason === reason ? trouble.since : at };
      failures++;
      lastError = { class: errorClass, reason, at };
    },
    recovered() {
      trouble = undefined;
      failures = 0;
      busySince = now();
    },
    report(pendingBytes) {
      const [oldest] = writes;
      let waitingEvents = 0;
      for (const { events } of writes) waitingEvents += events;
      return {
        output: "stdout",
        keptEvents: writtenEvents,
        deliveredEvents: writtenEvents,
        deadEvents: 0,
        droppedEvents: 0,
        waitingEvents,
        waitingBytes: pendingBytes,
        oldestReceivedAt: oldest?.since,
        leavesAt: undefined,
        retries: 0,
        deadLetters: 0,
        ...state(),
        failures,
        nextTryAt: undefined,
        lastError,
        lastDeliveredAt: lastWrittenAt,
      };
    },
  };
}
