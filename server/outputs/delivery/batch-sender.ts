import type { StoredEvent } from "../../pipeline.ts";
import type { Output, RejectedEvent, SendOutcome } from "../output.ts";
import { type Attempt, attemptDelivery, type ErrorClass } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import type { DeliveryClock } from "./clock.ts";
import type { DeliveryHealth } from "./health.ts";

/** One attempt, for histograms. */
export interface AttemptObservation {
  readonly events: number;
  /** The size of the documents, without what the output adds to them. */
  readonly bytes: number;
  readonly durationMs: number;
  /** undefined: the attempt succeeded. */
  readonly errorClass: ErrorClass | undefined;
}

export interface BatchSenderOptions {
  readonly outboxId: string;
  readonly output: Output;
  readonly limits: {
    readonly retryBackoffMs: number;
    readonly retryMaxBackoffMs: number;
    /** For one attempt. */
    readonly requestTimeoutMs: number;
  };
  readonly clock: DeliveryClock;
  readonly health: DeliveryHealth;
  /** Ends the pause before a retry; no other attempt begins. */
  readonly stopping: AbortSignal;
  /** Aborts the attempt that is in progress. */
  readonly aborting: AbortSignal;
  readonly onAttempt: (observation: AttemptObservation) => void;
}

/** What became of the events of a batch: each is in exactly one of the two lists. */
export interface SendResult {
  readonly delivered: readonly StoredEvent[];
  readonly rejected: readonly RejectedEvent[];
}

/** Sends events to one output until the output has accepted or rejected each of them. */
export class BatchSender {
  readonly #options: BatchSenderOptions;
  #retries = 0;

  constructor(options: BatchSenderOptions) {
    this.#options = options;
  }

  /** Attempts that followed a failed one, since the start. */
  get retries(): number {
    return this.#retries;
  }

  /**
   * Sends the events, and retries for as long as it takes.
   * @returns undefined when delivery was stopped before every event was accepted or rejected
   */
  async send(events: readonly StoredEvent[]): Promise<SendResult | undefined> {
    const { health } = this.#options;
    const delivered: StoredEvent[] = [];
    const rejected: RejectedEvent[] = [];
    /** In order; together they are the events that are left. */
    const groups: (readonly StoredEvent[])[] = [events];
    let failures = 0;
    for (let group = groups.shift(); group; group = groups.shift()) {
      const { outcome, errorClass } = await this.#attempt(group);
      const verdict = judge(group, outcome);
      delivered.push(...verdict.delivered);
      rejected.push(...verdict.rejected);
      groups.unshift(...verdict.next);
      if (verdict.failed) {
        const left = verdict.next[0]?.length ?? 0;
        // Some events were accepted, so the output is reachable and only busy.
        failures = left < group.length ? 1 : failures + 1;
        if (!(await this.#pause(left, verdict.failed, errorClass, failures))) return undefined;
        continue;
      }
      failures = 0;
      if (outcome.kind !== "delivered" && errorClass)
        health.noted(errorClass, verdict.rejected[0]?.reason ?? outcome.reason);
      if (verdict.next.length === 0) health.succeeded();
    }
    return { delivered, rejected };
  }

  async #attempt(events: readonly StoredEvent[]): Promise<Attempt> {
    const { outboxId, output, limits, health, aborting, onAttempt } = this.#options;
    health.attempting();
    const startedAt = performance.now();
    const attempt = await attemptDelivery(output, { outboxId, events }, limits.requestTimeoutMs, aborting);
    onAttempt({
      events: events.length,
      bytes: events.reduce((sum, { document }) => sum + document.length, 0),
      durationMs: performance.now() - startedAt,
      errorClass: attempt.errorClass,
    });
    return attempt;
  }

  /** Waits before a retry. @returns false when delivery is stopping, so that no retry follows */
  async #pause(
    events: number,
    failed: FailedOutcome,
    errorClass: ErrorClass | undefined,
    failures: number,
  ): Promise<boolean> {
    const { output, limits, clock, health, stopping } = this.#options;
    if (stopping.aborted) return false;
    const retryAfterMs = failed.kind === "retry" ? failed.retryAfterMs : undefined;
    const waitMs = backoffMs(failures, retryAfterMs, limits, clock.random);
    health.failed({
      action: `deliver ${events} ${events === 1 ? "event" : "events"} to ${output.name}`,
      reason: failed.reason,
      errorClass: errorClass ?? "retry",
      isBlocked: failed.kind === "hold",
      waitMs,
    });
    await clock.sleep(waitMs, stopping);
    if (stopping.aborted) return false;
    this.#retries++;
    return true;
  }
}

type FailedOutcome = Exclude<SendOutcome, { kind: "delivered" | "split" }>;

interface Verdict extends SendResult {
  /** What is sent next, in order. With the two lists it makes up the whole group. */
  readonly next: readonly (readonly StoredEvent[])[];
  /** Set if `next` has to wait before it is sent. */
  readonly failed: FailedOutcome | undefined;
}

function judge(group: readonly StoredEvent[], outcome: SendOutcome): Verdict {
  const nothing: Verdict = { delivered: [], rejected: [], next: [], failed: undefined };
  switch (outcome.kind) {
    case "delivered":
      return { ...nothing, delivered: group };
    case "retry":
    case "hold":
      return { ...nothing, next: [group], failed: outcome };
    case "split": {
      const { reason } = outcome;
      if (group.length === 1) return { ...nothing, rejected: group.map((event) => ({ event, reason })) };
      // A batch is halved in the same way after a crash, so that outputs which recognise a batch by its numbers
      // recognise the halves.
      const middle = Math.ceil(group.length / 2);
      return { ...nothing, next: [group.slice(0, middle), group.slice(middle)] };
    }
    case "judged": {
      const { rejected, retry } = outcome;
      const others = new Set(
        [...rejected.map(({ event }) => event), ...retry].map(({ sequence }) => sequence),
      );
      const delivered = group.filter(({ sequence }) => !others.has(sequence));
      if (retry.length === 0) return { ...nothing, delivered, rejected };
      return { delivered, rejected, next: [retry], failed: outcome };
    }
  }
}
