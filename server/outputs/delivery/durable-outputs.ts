import { type Outbox, type OutboxOptions, openOutbox } from "../../outbox/outbox.ts";
import type { EnrichedBatch, OutboxReader } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { DeadLetterAdmin } from "../dead-letters/admin.ts";
import { type DeadLetters, openDeadLetters } from "../dead-letters/dead-letters.ts";
import type { Output } from "../output.ts";
import type { OutputReport } from "../output-report.ts";
import type { AttemptObservation } from "./batch-sender.ts";
import { type DeliveryLimits, deliveryTimeoutMs, maxDeliveryBytes, OutputDelivery } from "./delivery.ts";

export interface DurableOutputsOptions {
  readonly outbox: Pick<OutboxOptions, "dir" | "maxBytes" | "onFull">;
  readonly limits: Omit<DeliveryLimits, "maxBytes" | "requestTimeoutMs">;
  readonly outputs: readonly Output[];
  readonly log: Log;
  readonly onAttempt: (output: string, observation: AttemptObservation) => void;
}

/** How long a stop waits for a disk that does not respond. */
const diskGraceMs = 500;

interface StartedOutput {
  readonly name: string;
  readonly reader: OutboxReader;
  readonly waitingAtStart: number;
  readonly deadLetters: DeadLetters;
  readonly delivery: OutputDelivery;
}

/** Outputs behind an outbox: a batch is kept once it is on disk, and each output receives it at its own pace. */
export class DurableOutputs {
  readonly #outbox: Outbox;
  readonly #started: readonly StartedOutput[];

  private constructor(outbox: Outbox, started: readonly StartedOutput[]) {
    this.#outbox = outbox;
    this.#started = started;
  }

  /** Opens the outbox and begins to deliver the events in it. @throws Error when its directory cannot be used */
  static async start(options: DurableOutputsOptions): Promise<DurableOutputs> {
    const { outputs, log } = options;
    const outbox = await openOutbox({ ...options.outbox, outputs: outputs.map(({ name }) => name), log });
    return new DurableOutputs(
      outbox,
      await Promise.all(outputs.map((output) => startOutput(outbox, output, options))),
    );
  }

  /** Resolves when the batch is synced to disk. Rejects with CannotKeep when it is not, and will not be. */
  keep(batch: EnrichedBatch): Promise<void> {
    return this.#outbox.append(batch);
  }

  /** Why no batch can be kept now or soon; undefined: batches are kept. */
  ingestProblem(): string | undefined {
    return this.#outbox.problem();
  }

  /** The same, or which output cannot be used and why. */
  problem(): string | undefined {
    return this.ingestProblem() ?? this.#started.map(({ delivery }) => delivery.problem).find(Boolean);
  }

  reports(): OutputReport[] {
    const { appendedEvents, droppedEvents, skippedEvents } = this.#outbox.counts();
    return this.#started.map(({ name, reader, waitingAtStart, deadLetters, delivery }) => {
      const { events, bytes, oldestReceivedAt } = reader.waiting();
      const { deliveredEvents, deadEvents, retries } = delivery.counts;
      return {
        output: name,
        keptEvents: waitingAtStart + appendedEvents,
        deliveredEvents,
        deadEvents,
        droppedEvents: droppedEvents[name] ?? 0,
        damagedEvents: skippedEvents[name] ?? 0,
        waitingEvents: events,
        waitingBytes: bytes,
        oldestReceivedAt,
        leavesAt: delivery.leavesAt,
        retries,
        deadLetters: deadLetters.waiting().events,
        ...delivery.state,
      };
    });
  }

  outboxReport(): ReturnType<Outbox["counts"]> {
    return this.#outbox.counts();
  }

  /** undefined: there is no such output. */
  deadLetters(name: string): DeadLetterAdmin | undefined {
    const found = this.#started.find((output) => output.name === name);
    if (!found) return undefined;
    const { deadLetters, delivery } = found;
    return {
      list: deadLetters.list,
      read: deadLetters.read,
      async requestRetry(sequences) {
        const requested = await deadLetters.requestRetry(sequences);
        delivery.lookForRequests();
        return requested;
      },
    };
  }

  /** Waits `maxWaitMs` at most for the batches that are being sent. What is not delivered then is delivered after the next start. */
  async stop(maxWaitMs: number): Promise<void> {
    await Promise.all(this.#started.map(({ delivery }) => delivery.stop(maxWaitMs)));
    // What a disk that hangs has not finished by then was not acknowledged. The lock is held until the process ends.
    await Promise.race([this.#outbox.close(), Bun.sleep(diskGraceMs)]);
  }
}

async function startOutput(
  outbox: Outbox,
  output: Output,
  { outbox: { dir }, limits, log, onAttempt }: DurableOutputsOptions,
): Promise<StartedOutput> {
  const { name, maxFlushIntervalMs = Number.POSITIVE_INFINITY } = output;
  const reader = outbox.reader(name);
  const waitingAtStart = reader.waiting().events;
  const deadLetters = await openDeadLetters({ dir, output: name, log });
  const delivery = new OutputDelivery({
    reader,
    outboxId: outbox.id,
    output,
    deadLetters,
    limits: {
      ...limits,
      maxBytes: maxDeliveryBytes,
      requestTimeoutMs: deliveryTimeoutMs,
      flushIntervalMs: Math.min(limits.flushIntervalMs, maxFlushIntervalMs),
    },
    log,
    releaseReserve: () => outbox.releaseReserve(),
    onAttempt: (observation) => onAttempt(name, observation),
  });
  return { name, reader, waitingAtStart, deadLetters, delivery };
}
