import type { StoredEvent } from "../../pipeline.ts";
import type { Rejection } from "../dead-letters/dead-letters.ts";
import type { Output, SendOutcome } from "../output.ts";
import { type Attempt, attemptDelivery, type ErrorClass } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import type { DeliveryClock } from "./clock.ts";
import type { DeliveryHealth } from "./health.ts";

/** One attempt, for histograms. */
export interface AttemptObservation {
  readonly events: number;
  /** Of the documents, without what the output puts around them. */
  readonly bytes: number;
  readonly durationMs: number;
  /** undefined: all went well. */
  readonly errorClass: ErrorClass | undefined;
}

export interface SettlementOptions {
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
  /** Waits for a next try end, and no other is begun. */
  readonly stopping: AbortSignal;
  /** What is being sent is given up. */
  readonly aborting: AbortSignal;
  readonly onRetry: () => void;
  readonly onAttempt: (observation: AttemptObservation) => void;
}

/** Every event of a batch is in one of the two. */
export interface Settlement {
  readonly delivered: readonly StoredEvent[];
  readonly refused: readonly Rejection[];
}

/** Sends events until each is delivered or refused for good, however long that takes; undefined when stopped before. */
export type SettleEvents = (events: readonly StoredEvent[]) => Promise<Settlement | undefined>;

export function createSettlement(options: SettlementOptions): SettleEvents {
  const { outboxId, output, limits, clock, health, stopping, aborting } = options;

  async function attempt(events: readonly StoredEvent[]): Promise<Attempt> {
    health.working();
    const startedAt = performance.now();
    const made = await attemptDelivery(output, { outboxId, events }, limits.requestTimeoutMs, aborting);
    options.onAttempt({
      events: events.length,
      bytes: events.reduce((sum, { document }) => sum + document.length, 0),
      durationMs: performance.now() - startedAt,
      errorClass: made.errorClass,
    });
    return made;
  }

  /** @returns whether to try again: not when stopping */
  async function pause(
    events: number,
    made: Attempt & { outcome: Failed },
    failures: number,
  ): Promise<boolean> {
    if (stopping.aborted) return false;
    const { outcome } = made;
    const retryAfterMs = outcome.kind === "retry" ? outcome.retryAfterMs : undefined;
    const waitMs = backoffMs(failures, retryAfterMs, limits, clock.random);
    health.failed({
      what: `deliver ${events} ${events === 1 ? "event" : "events"} to ${output.name}`,
      reason: outcome.reason,
      errorClass: made.errorClass ?? "retry",
      isHold: outcome.kind === "hold",
      waitMs,
    });
    await clock.sleep(waitMs, stopping);
    if (stopping.aborted) return false;
    options.onRetry();
    return true;
  }

  return async (events) => {
    const delivered: StoredEvent[] = [];
    const refused: Rejection[] = [];
    /** In order; together they are what is left. */
    const groups: (readonly StoredEvent[])[] = [events];
    let failures = 0;
    for (let group = groups.shift(); group; group = groups.shift()) {
      const { outcome, errorClass } = await attempt(group);
      const verdict = judge(group, outcome);
      delivered.push(...verdict.delivered);
      refused.push(...verdict.refused);
      groups.unshift(...verdict.next);
      if (verdict.failed) {
        const left = verdict.next[0]?.length ?? 0;
        // Something got through: the output is there, it only has enough for the moment.
        failures = left < group.length ? 1 : failures + 1;
        if (!(await pause(left, { outcome: verdict.failed, errorClass }, failures))) return undefined;
        continue;
      }
      failures = 0;
      if (outcome.kind !== "delivered" && errorClass)
        health.noted(errorClass, verdict.refused[0]?.reason ?? outcome.reason);
      if (verdict.next.length === 0) health.succeeded();
    }
    return { delivered, refused };
  };
}

type Failed = Exclude<SendOutcome, { kind: "delivered" | "split" }>;

interface Verdict extends Settlement {
  /** What is to be sent next, in order; together with the two lists, all of the group. */
  readonly next: readonly (readonly StoredEvent[])[];
  /** Set when that has to wait. */
  readonly failed: Failed | undefined;
}

function judge(group: readonly StoredEvent[], outcome: SendOutcome): Verdict {
  const nothing: Verdict = { delivered: [], refused: [], next: [], failed: undefined };
  switch (outcome.kind) {
    case "delivered":
      return { ...nothing, delivered: group };
    case "retry":
    case "hold":
      return { ...nothing, next: [group], failed: outcome };
    case "split": {
      const { reason } = outcome;
      if (group.length === 1) return { ...nothing, refused: group.map((event) => ({ event, reason })) };
      // The same halves after a crash, so that outputs which know a batch by its numbers know them again.
      const middle = Math.ceil(group.length / 2);
      return { ...nothing, next: [group.slice(0, middle), group.slice(middle)] };
    }
    case "judged": {
      const { refused, retry } = outcome;
      const others = new Set(
        [...refused.map(({ event }) => event), ...retry].map(({ sequence }) => sequence),
      );
      const delivered = group.filter(({ sequence }) => !others.has(sequence));
      if (retry.length === 0) return { ...nothing, delivered, refused };
      return { delivered, refused, next: [retry], failed: outcome };
    }
  }
}
