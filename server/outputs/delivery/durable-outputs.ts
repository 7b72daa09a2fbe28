import { type Outbox, type OutboxOptions, openOutbox } from "../../outbox/outbox.ts";
import type { EnrichedBatch } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { DeadLetterAdmin } from "../dead-letters/admin.ts";
import { openDeadLetters } from "../dead-letters/dead-letters.ts";
import type { Output } from "../output.ts";
import type { OutputReport } from "../output-report.ts";
import type { AttemptObservation } from "./batch-sender.ts";
import { type DeliveryLimits, deliveryTimeoutMs, maxDeliveryBytes, startDelivery } from "./delivery.ts";

export interface DurableOutputsOptions {
  readonly outbox: Pick<OutboxOptions, "dir" | "maxBytes" | "onFull">;
  readonly limits: Omit<DeliveryLimits, "maxBytes" | "requestTimeoutMs">;
  readonly outputs: readonly Output[];
  readonly log: Log;
  readonly onAttempt: (output: string, observation: AttemptObservation) => void;
}

/** Outputs behind an outbox: a batch is kept once it is on disk, and delivered to each of them in its own time. */
export interface DurableOutputs {
  /** Resolves when the batch is synced to disk; rejects with CannotKeep when it is not, and will not be. */
  keep(batch: EnrichedBatch): Promise<void>;
  /** Why no batch can be kept, or soon can't. */
  ingestProblem(): string | undefined;
  /** The same, or which output can't be used and why. */
  problem(): string | undefined;
  reports(): OutputReport[];
  outboxReport(): ReturnType<Outbox["counts"]>;
  /** undefined: there is no such output. */
  deadLetters(output: string): DeadLetterAdmin | undefined;
  /** Waits for what is on its way, `maxWaitMs` at most. What is not delivered then is so after the next start. */
  stop(maxWaitMs: number): Promise<void>;
}

/** Opens the outbox and begins to deliver what waits in it. @throws Error when its directory can't be used. */
export async function startDurableOutputs(options: DurableOutputsOptions): Promise<DurableOutputs> {
  const { outputs, log } = options;
  const outbox = await openOutbox({ ...options.outbox, outputs: outputs.map(({ name }) => name), log });
  const limits = { ...options.limits, maxBytes: maxDeliveryBytes, requestTimeoutMs: deliveryTimeoutMs };
  const started = await Promise.all(
    outputs.map(async (output) => {
      const reader = outbox.reader(output.name);
      const waitingAtStart = reader.waiting().events;
      const deadLetters = await openDeadLetters({ dir: options.outbox.dir, output: output.name, log });
      const delivery = startDelivery({
        reader,
        outboxId: outbox.id,
        output,
        deadLetters,
        limits: {
          ...limits,
          flushIntervalMs: Math.min(
            limits.flushIntervalMs,
            output.maxFlushIntervalMs ?? Number.POSITIVE_INFINITY,
          ),
        },
        log,
        onAttempt: (observation) => options.onAttempt(output.name, observation),
      });
      return { output: output.name, reader, waitingAtStart, deadLetters, delivery };
    }),
  );

  return {
    keep: outbox.append,
    ingestProblem: outbox.problem,
    problem: () => outbox.problem() ?? started.map(({ delivery }) => delivery.problem()).find(Boolean),
    reports: () =>
      started.map(({ output, reader, waitingAtStart, deadLetters, delivery }) => {
        const { events, bytes, oldestReceivedAt } = reader.waiting();
        const { kind, since, reason, attempt, nextTryAt, lastError, lastDeliveredAt } = delivery.state();
        const { deliveredEvents, deadEvents, retries } = delivery.counts;
        return {
          output,
          keptEvents: waitingAtStart + outbox.counts().appendedEvents,
          deliveredEvents,
          deadEvents,
          droppedEvents: outbox.counts().droppedEvents[output] ?? 0,
          waitingEvents: events,
          waitingBytes: bytes,
          oldestReceivedAt,
          leavesAt: delivery.leavesAt(),
          retries,
          deadLetters: deadLetters.waiting().events,
          state: kind,
          since,
          reason,
          failures: attempt,
          nextTryAt,
          lastError,
          lastDeliveredAt,
        };
      }),
    deadLetters(name) {
      const found = started.find(({ output }) => output === name);
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
    },
    outboxReport: outbox.counts,
    async stop(maxWaitMs) {
      await Promise.all(started.map(({ delivery }) => delivery.stop(maxWaitMs)));
      await outbox.close();
    },
  };
}
