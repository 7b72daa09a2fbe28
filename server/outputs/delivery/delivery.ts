import type { BatchBounds, OutboxReader } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import type { Output } from "../output.ts";
import { type BackoffBounds, backoffMs } from "./backoff.ts";
import { type AttemptObservation, BatchSender, type SendEnd, type SendResult } from "./batch-sender.ts";
import { type DeliveryClock, systemClock } from "./clock.ts";
import { DeadLetterRetry } from "./dead-letter-retry.ts";
import { DiskRetry } from "./disk-retry.ts";
import { type DueLimits, DueTimer } from "./due-timer.ts";
import { DeliveryHealth, type DeliveryState } from "./health.ts";
import { RejectionGuard } from "./rejection-guard.ts";
import { Rejections } from "./rejections.ts";

/*
 * Delivers the events of the outbox to one output: batch after batch, in order, one at a time.
 *
 *   wait until a batch is due ─▶ reader.next (its range is on disk) ─▶ send until each event is accepted or rejected
 *        ─▶ dead letters synced ─▶ reader.acknowledge ─▶ …
 *
 * A crash at any point before the last step sends the same batch again. Between two batches, dead letters are sent again
 * if an operator has asked for that. A disk that fails is retried like an output that fails. While an output rejects most
 * events, it gets small batches with pauses between them.
 */

export interface DeliveryLimits extends BatchBounds, DueLimits, BackoffBounds {
  /** For one attempt to send a batch. */
  readonly requestTimeoutMs: number;
}

export interface DeliveryOptions {
  readonly reader: OutboxReader;
  readonly outboxId: string;
  /** Closed when delivery has stopped. */
  readonly output: Output;
  /** Closed when delivery has stopped. */
  readonly deadLetters: DeadLetters;
  readonly limits: DeliveryLimits;
  readonly log: Log;
  readonly clock?: DeliveryClock;
  /** As `Outbox.releaseReserve`. By default there is no reserve. */
  readonly releaseReserve?: () => Promise<boolean>;
  /** Called after each attempt. */
  readonly onAttempt?: (observation: AttemptObservation) => void;
}

/** Since the start. */
export interface DeliveryCounts {
  /** From the outbox: kept = delivered + dead + what the reader has waiting, at every moment. */
  readonly deliveredEvents: number;
  /** Rejected by the output. */
  readonly deadEvents: number;
  /** Acknowledged batches. */
  readonly batches: number;
  /** Attempts that followed a failed one. */
  readonly retries: number;
  /** Dead letters that were delivered when they were sent again. */
  readonly revivedEvents: number;
}

/** A batch of the largest events, and well below what ClickHouse and Elasticsearch accept in one request. */
export const maxDeliveryBytes = 8 * 1024 * 1024;
/** A busy database may need this long for a large insert. */
export const deliveryTimeoutMs = 60_000;
/** How long a stop waits for a disk that does not respond. */
const diskGraceMs = 500;

const noEvents: SendEnd = { kind: "done", delivered: [], rejected: [] };

export class OutputDelivery {
  readonly #options: DeliveryOptions;
  readonly #clock: DeliveryClock;
  readonly #log: Log;
  /** No new batch and no retry begins after this. */
  readonly #stopping = new AbortController();
  /** The attempt in progress is aborted by this. */
  readonly #aborting = new AbortController();
  readonly #health: DeliveryHealth;
  readonly #disk: DiskRetry;
  readonly #sender: BatchSender;
  readonly #rejections: Rejections;
  readonly #deadLetterRetry: DeadLetterRetry;
  readonly #timer: DueTimer;
  readonly #guard = new RejectionGuard();
  #deliveredEvents = 0;
  #deadEvents = 0;
  #batches = 0;
  readonly #ended: Promise<void>;

  /** Begins to deliver at once. */
  constructor(options: DeliveryOptions) {
    const { reader, output, deadLetters, limits, clock = systemClock } = options;
    const log = options.log.component("delivery");
    const stopping = this.#stopping.signal;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    const health = new DeliveryHealth(output.name, log, clock.now);
    this.#health = health;
    const disk = new DiskRetry({
      limits,
      clock,
      health,
      stopping,
      releaseReserve: options.releaseReserve ?? (async () => false),
    });
    this.#disk = disk;
    const sender = new BatchSender({
      outboxId: options.outboxId,
      output,
      limits,
      clock,
      health,
      stopping,
      aborting: this.#aborting.signal,
      onAttempt: options.onAttempt ?? (() => {}),
    });
    this.#sender = sender;
    const rejections = new Rejections({ output: output.name, deadLetters, disk, health, log });
    this.#rejections = rejections;
    this.#deadLetterRetry = new DeadLetterRetry({
      output: output.name,
      deadLetters,
      limits,
      sender,
      rejections,
      clock,
      log,
    });
    this.#timer = new DueTimer({
      reader,
      limits,
      clock,
      stopping,
      onIdle: (pending) => health.idle(pending),
    });
    // The loop retries every failure itself. An error that leaves it is a defect, and must not stay unnoticed.
    this.#ended = this.#run().catch((error: Error) => this.#reportDefect(error));
  }

  get counts(): DeliveryCounts {
    return {
      deliveredEvents: this.#deliveredEvents,
      deadEvents: this.#deadEvents,
      batches: this.#batches,
      retries: this.#sender.retries,
      revivedEvents: this.#deadLetterRetry.deliveredEvents,
    };
  }

  get state(): DeliveryState {
    return this.#health.state;
  }

  /** Why the output cannot be used now; undefined: it can. */
  get problem(): string | undefined {
    return this.#health.problem;
  }

  /** When the batch that is being collected leaves at the latest, in milliseconds since the epoch; undefined: there is none. */
  get leavesAt(): number | undefined {
    return this.#timer.leavesAt;
  }

  /** There is a request about dead letters: it is served at once, or after the batch that is being sent. */
  lookForRequests(): void {
    this.#deadLetterRetry.lookNow();
    this.#timer.wake();
  }

  /**
   * Starts no new batch, except one that was only waiting until it is due. Waits for the batch in flight, aborts it after
   * `maxWaitMs`, and closes the output and the dead letters. Events that were not acknowledged are sent at the next start.
   */
  async stop(maxWaitMs: number): Promise<void> {
    this.#stopping.abort();
    const timer = setTimeout(() => this.#aborting.abort(), maxWaitMs);
    const ended = new AbortController();
    await Promise.race([this.#ended, systemClock.sleep(maxWaitMs + diskGraceMs, ended.signal)]);
    ended.abort();
    clearTimeout(timer);
    const { output, deadLetters } = this.#options;
    await Promise.race([Promise.all([output.close(), deadLetters.close()]), Bun.sleep(diskGraceMs)]);
  }

  async #run(): Promise<void> {
    const stopping = this.#stopping.signal;
    while (!stopping.aborted) {
      await this.#deadLetterRetry.run();
      if (stopping.aborted) return;
      if (await this.#timer.untilDue(() => this.#deadLetterRetry.nextLookAt)) await this.#deliverBatch();
    }
  }

  async #deliverBatch(): Promise<void> {
    const { reader, limits } = this.#options;
    this.#timer.restart();
    const batch = await this.#disk.until("read the outbox", () => reader.next(this.#bounds()));
    // Events are pending, but there is no batch: without a pause this would be repeated at once.
    if (!batch) return this.#clock.sleep(limits.retryBackoffMs, this.#stopping.signal);
    const result = batch.events.length > 0 ? await this.#sender.send(batch.events, "end") : noEvents;
    if (result.kind === "undecided") {
      // With the events that have arrived since, the next batch may show whether the output or an event is the cause.
      await this.#disk.until("take back a batch in the outbox", () => reader.takeBack(batch));
      return;
    }
    if (result.kind === "stopped" || !(await this.#rejections.store(result))) return;
    await this.#disk.until("acknowledge a batch in the outbox", () =>
      reader.acknowledge(batch, () => {
        this.#batches++;
        this.#deliveredEvents += result.delivered.length;
        this.#deadEvents += result.rejected.length;
      }),
    );
    await this.#observeRejections(result);
  }

  #bounds(): BatchBounds {
    const { maxEvents, maxBytes } = this.#options.limits;
    return { maxEvents: Math.min(maxEvents, this.#guard.maxEvents), maxBytes };
  }

  /** While the output rejects most events, it counts as not ready and gets small batches with pauses between them. */
  async #observeRejections(result: SendResult): Promise<void> {
    this.#guard.note(result);
    this.#health.rejectingMost(this.#guard.problem);
    const { rejectedProbes } = this.#guard;
    if (rejectedProbes === 0) return;
    const waitMs = backoffMs(rejectedProbes, undefined, this.#options.limits, this.#clock.random);
    await this.#clock.sleep(waitMs, this.#stopping.signal);
  }

  #reportDefect(error: Error): void {
    const { name } = this.#options.output;
    this.#log.error(`BUG: delivery to ${name} ended: ${error.message}`, { output: name });
    const reason = `BUG: delivery ended: ${error.message}`;
    this.#health.failed({ action: "continue", reason, errorClass: "defect", isBlocked: true, waitMs: 0 });
  }
}
