import type { OutboxReader, StoredEvent } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import type { Output } from "../output.ts";
import { backoffMs } from "./backoff.ts";
import { type AttemptObservation, createSettlement, type Settlement } from "./batch-sender.ts";
import { type DeliveryClock, systemClock } from "./clock.ts";
import { createDeliveryHealth, type DeliveryState } from "./health.ts";

/*
 * Brings one output's events from the outbox to it: batch after batch, in order, one on its way at a time.
 *
 *   wait until a batch is due ─▶ reader.next (border on disk) ─▶ send until each event is in or refused for good
 *        ─▶ dead letters synced ─▶ reader.acknowledge ─▶ …
 *
 * A crash anywhere before the last step sends the same batch again. Between two batches dead letters go out again that
 * an operator asked for. A disk that fails is tried again like an output that fails.
 */

export interface DeliveryLimits {
  /** A batch is due when so many events wait, */
  readonly maxEvents: number;
  /** or so many bytes of them, */
  readonly maxBytes: number;
  /** or when the oldest was received so long ago. */
  readonly flushIntervalMs: number;
  readonly retryBackoffMs: number;
  readonly retryMaxBackoffMs: number;
  /** For one attempt to send a batch. */
  readonly requestTimeoutMs: number;
}

export interface DeliveryOptions {
  readonly reader: OutboxReader;
  readonly outboxId: string;
  /** Closed when delivery has stopped. */
  readonly output: Output;
  /** As the output; closed with it. */
  readonly deadLetters: DeadLetters;
  readonly limits: DeliveryLimits;
  readonly log: Log;
  readonly clock?: DeliveryClock;
  /** Called after each attempt. */
  readonly onAttempt?: (observation: AttemptObservation) => void;
}

export interface DeliveryCounts {
  /** From the outbox: kept = delivered + dead + what the reader has waiting, at every moment. */
  readonly deliveredEvents: number;
  readonly deadEvents: number;
  /** Acknowledged. */
  readonly batches: number;
  /** Attempts after a failed one. */
  readonly retries: number;
  /** Dead letters that got in when they were sent again. */
  readonly revivedEvents: number;
}

export interface RunningDelivery {
  state(): DeliveryState;
  /** Why the output can't be used now; undefined: all is well. */
  problem(): string | undefined;
  /** Since the start. */
  readonly counts: DeliveryCounts;
  /** When the batch that is being collected leaves at the latest; undefined: none is. Milliseconds since the epoch. */
  leavesAt(): number | undefined;
  /** There is a request about dead letters: looked for at once, or after the batch that is on its way. */
  lookForRequests(): void;
  /**
   * Begins no new batch, save one that only waited for its time; waits for what is on its way, gives it up after
   * `maxWaitMs`, and closes output and dead letters. What was not acknowledged is sent again at the next start.
   */
  stop(maxWaitMs: number): Promise<void>;
}

/** A batch of the largest events, and well below what ClickHouse and Elasticsearch take in one request. */
export const maxDeliveryBytes = 8 * 1024 * 1024;
/** A database under load may take its time over a large insert. */
export const deliveryTimeoutMs = 60_000;
/** A stop does not wait longer for a disk that hangs. */
const diskGraceMs = 500;
/** How often requests of `loom dead-letters` are looked for: nobody tells of them. */
const requestLookIntervalMs = 2_000;

export function startDelivery(options: DeliveryOptions): RunningDelivery {
  const { reader, output, deadLetters, limits, log, clock = systemClock } = options;
  const stopping = new AbortController();
  const aborting = new AbortController();
  const health = createDeliveryHealth(output.name, log, clock.now);
  const counts = { deliveredEvents: 0, deadEvents: 0, batches: 0, retries: 0, revivedEvents: 0 };
  const settle = createSettlement({
    outboxId: options.outboxId,
    output,
    limits,
    clock,
    health,
    stopping: stopping.signal,
    aborting: aborting.signal,
    onRetry: () => void counts.retries++,
    onAttempt: options.onAttempt ?? (() => {}),
  });
  /** By the monotonic clock, as `waitingSince`. */
  let nextLookAt = Number.NEGATIVE_INFINITY;
  /** Since when events are seen waiting for a batch. */
  let waitingSince: number | undefined;
  let leavesAt: number | undefined;
  let areRequestsReadable = true;
  let endWait = () => {};

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await retryDeadLetters();
      if (stopping.signal.aborted) return;
      if (await untilDue()) await deliverBatch();
    }
  }

  /**
   * Waits until a batch is due, but no longer than until requests are to be looked for.
   * @returns whether one is due
   */
  async function untilDue(): Promise<boolean> {
    for (;;) {
      leavesAt = undefined;
      const { events, bytes, oldestReceivedAt } = reader.waiting();
      if (events >= limits.maxEvents || bytes >= limits.maxBytes) return true;
      if (events > 0 && stopping.signal.aborted) return true;
      if (stopping.signal.aborted) return false;
      health.resting();
      const lookMs = nextLookAt - clock.monotonic();
      if (lookMs <= 0) return false;
      let waitMs = lookMs;
      if (events > 0) {
        waitingSince ??= clock.monotonic();
        // The time of receipt may be that of another clock, before a restart or a correction: seen here counts as well.
        const receivedMs = clock.now() - (oldestReceivedAt ?? clock.now());
        const flushMs = limits.flushIntervalMs - Math.max(receivedMs, clock.monotonic() - waitingSince);
        if (flushMs <= 0) return true;
        leavesAt = clock.now() + flushMs;
        waitMs = Math.min(waitMs, flushMs);
      }
      await untilAppendedOr(waitMs);
    }
  }

  async function untilAppendedOr(maxWaitMs: number): Promise<void> {
    const over = new AbortController();
    const end = () => over.abort();
    endWait = end;
    stopping.signal.addEventListener("abort", end);
    await Promise.race([reader.whenAppended(over.signal), clock.sleep(maxWaitMs, over.signal)]);
    stopping.signal.removeEventListener("abort", end);
    end();
  }

  async function deliverBatch(): Promise<void> {
    waitingSince = undefined;
    const batch = await onDisk("read the outbox", () => reader.next(limits));
    // Nothing after all, though something waits: not to be asked again at once.
    if (!batch) return clock.sleep(limits.retryBackoffMs, stopping.signal);
    const settlement = batch.events.length > 0 ? await settle(batch.events) : nothing;
    if (!settlement || !(await keepRefused(settlement))) return;
    await onDisk("acknowledge a batch in the outbox", () =>
      reader.acknowledge(batch, () => {
        counts.batches++;
        counts.deliveredEvents += settlement.delivered.length;
        counts.deadEvents += settlement.refused.length;
      }),
    );
  }

  async function retryDeadLetters(): Promise<void> {
    if (clock.monotonic() < nextLookAt) return;
    // Before the look: a request that comes while it goes on is not to be missed.
    nextLookAt = clock.monotonic() + requestLookIntervalMs;
    for (let events = await nextRetry(); events; events = await nextRetry()) {
      const settlement = await settle(events);
      if (!settlement || !(await keepRefused(settlement))) return;
      counts.revivedEvents += settlement.delivered.length;
      logRevived(events, settlement);
    }
  }

  /** What can't be read now must not hold up what comes from the outbox: it is looked at again later. */
  async function nextRetry(): Promise<readonly StoredEvent[] | undefined> {
    try {
      const events = await deadLetters.nextRetry(limits);
      areRequestsReadable = true;
      return events;
    } catch (error) {
      const reason = (error as Error).message;
      if (areRequestsReadable)
        log.error("cannot serve requests about dead letters; trying again", { output: output.name, reason });
      areRequestsReadable = false;
      return undefined;
    }
  }

  function logRevived(events: readonly StoredEvent[], { delivered, refused }: Settlement): void {
    const fields = { output: output.name, events: events.length, delivered: delivered.length };
    if (refused.length === 0) log.info("dead letters delivered", fields);
    else
      log.warn("dead letters sent again, and refused again in part", {
        ...fields,
        reason: refused[0]?.reason,
      });
  }

  /** @returns false when stopped before it was on disk */
  async function keepRefused({ delivered, refused }: Settlement): Promise<boolean> {
    const isKept = await onDisk("keep dead letters", async () => {
      await deadLetters.add(refused);
      await deadLetters.noteDelivered(delivered.map(({ sequence }) => sequence));
      return true;
    });
    if (delivered.length > 0) health.delivered();
    const [first] = refused;
    if (isKept && first) {
      log.warn("events refused; they are dead letters now", {
        output: output.name,
        events: refused.length,
        first_sequence: first.event.sequence,
        reason: first.reason,
      });
    }
    return isKept === true;
  }

  /** Tries until the disk does it; undefined when stopped before, or when it does nothing. */
  async function onDisk<Result>(what: string, act: () => Promise<Result>): Promise<Result | undefined> {
    for (let failures = 1; ; failures++) {
      try {
        const result = await act();
        if (failures > 1) health.succeeded();
        return result;
      } catch (error) {
        if (stopping.signal.aborted) return undefined;
        const waitMs = backoffMs(failures, undefined, limits, clock.random);
        const reason = (error as Error).message;
        health.failed({ what, reason, errorClass: "disk", isHold: true, waitMs });
        await clock.sleep(waitMs, stopping.signal);
      }
    }
  }

  // It tries everything again by itself; what gets out is a defect, and then silence would be the worst.
  const ended = run().catch((error: Error) => {
    log.error(`BUG: delivery to ${output.name} ended: ${error.message}`, { output: output.name });
    const reason = `BUG: delivery ended: ${error.message}`;
    health.failed({ what: "go on", reason, errorClass: "defect", isHold: true, waitMs: 0 });
  });

  return {
    counts,
    state: () => health.state,
    leavesAt: () => leavesAt,
    lookForRequests() {
      nextLookAt = Number.NEGATIVE_INFINITY;
      endWait();
    },
    problem() {
      const { kind, reason } = health.state;
      return kind === "retrying" || kind === "holding" ? `${output.name}: ${reason}` : undefined;
    },
    async stop(maxWaitMs) {
      stopping.abort();
      const timer = setTimeout(() => aborting.abort(), maxWaitMs);
      const hung = new AbortController();
      await Promise.race([ended, systemClock.sleep(maxWaitMs + diskGraceMs, hung.signal)]);
      hung.abort();
      clearTimeout(timer);
      output.close();
      await deadLetters.close();
    },
  };
}

const nothing: Settlement = { delivered: [], refused: [] };
