import type { CannotKeep, EnrichedBatch, StoredEvent } from "../pipeline.ts";
import type { MetricRegistry } from "../telemetry/metric-registry.ts";
import type { OutputReport } from "./output-report.ts";

/** An event that an output has rejected, with the output's reason. */
export interface RejectedEvent {
  readonly event: StoredEvent;
  readonly reason: string;
}

/** The result of one attempt to send events to an output. */
export type SendOutcome =
  /** The output has accepted all of them. */
  | { readonly kind: "delivered" }
  /** The output judged each event. Events in neither list were accepted. */
  | {
      readonly kind: "judged";
      readonly rejected: readonly RejectedEvent[];
      /** To be sent again, and why. */
      readonly retry: readonly StoredEvent[];
      readonly reason: string;
    }
  /** None of them counts as accepted: send the same events again, later. `retryAfterMs`: the wait that the output asked for. */
  | { readonly kind: "retry"; readonly reason: string; readonly retryAfterMs?: number }
  /**
   * An error that may be about these events or about the output, and nothing of them was accepted. Delivery finds out which.
   * `key` is the same for the same kind of error.
   */
  | { readonly kind: "suspect"; readonly key: string; readonly reason: string }
  /** Nothing can be delivered until somebody fixes something: wrong password, missing table. Delivery tries again anyway. */
  | { readonly kind: "hold"; readonly reason: string }
  /** The output will never accept this batch as a whole: it is too large, or an event in it is bad. */
  | { readonly kind: "split"; readonly reason: string };

/** A batch to be sent. The outbox and the sequence numbers identify it, so that a retry can be recognised. */
export interface Delivery {
  readonly outboxId: string;
  /** In order, never empty. Their sequence numbers are the same at each attempt. */
  readonly events: readonly StoredEvent[];
}

/** What an output offers if it can keep events itself, so that it works without the outbox. */
export interface DirectOutput {
  /** Resolves when the batch is written; rejects with {@link CannotKeep} if it is not and will not be. */
  keep(batch: EnrichedBatch): Promise<void>;
  /** Why nothing can be kept now; undefined: batches are kept. */
  problem(): string | undefined;
  /** Without the outbox, what was written counts as kept and delivered. */
  report(): OutputReport;
  /** Refuses the batches whose writing has not begun, and waits for the others. */
  stop(maxWaitMs: number): Promise<void>;
}

/** A destination of events. Each is in its own folder below `outputs/`. */
export interface Output {
  readonly name: string;
  /** Overrides a longer `flush_interval_ms`, if waiting for a fuller batch is of no use. */
  readonly maxFlushIntervalMs?: number;
  readonly direct?: DirectOutput;
  /** Does not reject for anything that the other side does. The signal ends it at a timeout or a stop. */
  send(delivery: Delivery, signal: AbortSignal): Promise<SendOutcome>;
  /** Whether the output answers a request without events. An output that returns "suspect" has it. Never rejects. */
  isReachable?(signal: AbortSignal): Promise<boolean>;
  /** Declares metrics of the output's own. */
  declareMetrics?(metrics: MetricRegistry): void;
  /** Closes connections and files. Never rejects. */
  close(): void | Promise<void>;
}
