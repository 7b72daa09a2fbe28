import { crc32 } from "node:zlib";
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

export type SendEnd =
  /** The output has accepted or rejected each event. */
  | ({ readonly kind: "done" } & SendResult)
  /** The output has accepted none of them, and other events are needed to find out whether these are the cause. */
  | { readonly kind: "undecided" }
  /** Delivery was stopped before. */
  | { readonly kind: "stopped" };

/** What happens to events if nothing shows whether they or the output are the cause of an error. */
export type WhenUndecided = "end" | "reject";

/**
 * Sends events to one output until the output has accepted or rejected each of them.
 *
 * An answer that may be about the events or about the output ("suspect") is retried first. If it stays the same while the
 * output is reachable, a few events of the batch are sent alone. If one is accepted, the output works and the answer is
 * about other events of the batch, which is then halved until they are found. If none is accepted, nothing is concluded.
 */
export class BatchSender {
  readonly #options: BatchSenderOptions;
  #retries = 0;
  /** The kind of the suspect answer, its failures in a row, and how often a batch was undecided; undefined: events were accepted since. */
  #undecided: { readonly key: string; readonly failures: number; readonly rounds: number } | undefined;

  constructor(options: BatchSenderOptions) {
    this.#options = options;
  }

  /** Attempts that followed a failed one, since the start. */
  get retries(): number {
    return this.#retries;
  }

  /** Sends the events, and retries for as long as it takes. */
  async send(events: readonly StoredEvent[], whenUndecided: WhenUndecided): Promise<SendEnd> {
    const { health } = this.#options;
    const batch = new BatchProgress(events, this.#undecided?.failures ?? 0);
    for (let group = batch.nextGroup(); group; group = batch.nextGroup()) {
      const { outcome, errorClass } = await this.#attempt(group.events);
      if (outcome.kind === "suspect") {
        const end = await this.#handleSuspect(batch, group, outcome, whenUndecided);
        if (end) return end;
        continue;
      }
      const verdict = judge(group.events, outcome);
      const left = batch.add(verdict);
      if (verdict.failed) {
        // Some events were accepted, so the output is reachable and only busy.
        batch.failures = left < group.events.length ? 1 : batch.failures + 1;
        if (!(await this.#pause(left, verdict.failed, errorClass, batch.failures))) return stopped;
        continue;
      }
      batch.failures = 0;
      if (outcome.kind !== "delivered" && errorClass)
        health.noted(errorClass, verdict.rejected[0]?.reason ?? outcome.reason);
      if (verdict.next.length === 0) this.#succeeded();
    }
    return { kind: "done", delivered: batch.delivered, rejected: batch.rejected };
  }

  /** @returns how the batch ends because of this answer; undefined: it continues */
  async #handleSuspect(
    batch: BatchProgress,
    group: Group,
    outcome: SuspectOutcome,
    whenUndecided: WhenUndecided,
  ): Promise<SendEnd | undefined> {
    const answers = group.suspectKey === outcome.key ? group.suspectAnswers + 1 : 1;
    const again: Group = { events: group.events, suspectKey: outcome.key, suspectAnswers: answers };
    const [first] = group.events;
    const isSingle = group.events.length === 1;
    if (batch.hasEvidence && !isSingle) {
      batch.halve(group.events);
      return undefined;
    }
    if (answers < this.#neededAnswers(batch, outcome) || !(await this.#isReachable()))
      return this.#retrySuspect(batch, again, outcome);
    if (batch.hasEvidence && first) {
      batch.reject([first], outcome.reason);
      this.#options.health.noted("rejected", outcome.reason);
      this.#succeeded();
      return undefined;
    }
    const evidence = isSingle ? "none" : await this.#searchEvidence(batch, group.events, outcome.key);
    if (evidence === "found") return undefined;
    // The output may have accepted the event that was sent alone, so these events must stay together.
    if (evidence === "unknown") return this.#retrySuspect(batch, again, outcome);
    if (whenUndecided === "reject") {
      batch.reject(group.events, outcome.reason);
      return undefined;
    }
    const isWhole = batch.isUntouched && group.events.length === batch.size;
    const rounds = (this.#undecided?.rounds ?? 0) + 1;
    this.#undecided = { key: outcome.key, failures: batch.failures + 1, rounds };
    const end = await this.#retrySuspect(batch, again, outcome);
    return end ?? (isWhole ? { kind: "undecided" } : undefined);
  }

  /** How many equal answers in a row are needed before they are no longer taken for a passing error. */
  #neededAnswers(batch: BatchProgress, { key }: SuspectOutcome): number {
    if (batch.hasEvidence) return 2;
    return this.#undecided?.key === key ? 1 : suspectAnswers;
  }

  /** The output works. */
  #succeeded(): void {
    this.#undecided = undefined;
    this.#options.health.succeeded();
  }

  async #retrySuspect(
    batch: BatchProgress,
    group: Group,
    outcome: SuspectOutcome,
  ): Promise<SendEnd | undefined> {
    batch.failures++;
    batch.putBack(group);
    const isBlocked = this.#undecided?.key === outcome.key;
    const failed: FailedOutcome = { kind: isBlocked ? "hold" : "retry", reason: outcome.reason };
    return (await this.#pause(group.events.length, failed, "retry", batch.failures)) ? undefined : stopped;
  }

  /**
   * Sends a few events of a group alone, until one is accepted. They are chosen by a hash: other ones in each round, so that an
   * attacker cannot arrange that all of them are bad, and the same ones after a crash, so that outputs which recognise a
   * batch by its numbers recognise what they have accepted already.
   * @returns "found": one was accepted, and the rest of the group is put back in halves. "unknown": another error came between
   */
  async #searchEvidence(
    batch: BatchProgress,
    events: readonly StoredEvent[],
    key: string,
  ): Promise<"found" | "none" | "unknown"> {
    const rest = [...events];
    const name = `${this.#options.outboxId}-${events[0]?.sequence}-${events.length}-${this.#undecided?.rounds ?? 0}`;
    for (let sample = 0; sample < evidenceSamples && rest.length > 1; sample++) {
      const [event] = rest.splice(crc32(`${name}-${sample}`) % rest.length, 1);
      if (!event) break;
      const { outcome } = await this.#attempt([event]);
      if (outcome.kind === "delivered") {
        batch.deliver(event);
        batch.hasEvidence = true;
        this.#succeeded();
        // Events that were sampled before and not accepted are still to be judged.
        batch.halve(events.filter((other) => other !== event));
        return "found";
      }
      if (outcome.kind !== "suspect" || outcome.key !== key) return "unknown";
    }
    return "none";
  }

  async #isReachable(): Promise<boolean> {
    const { output, limits, aborting } = this.#options;
    const timeout = AbortSignal.timeout(limits.requestTimeoutMs);
    return (await output.isReachable?.(AbortSignal.any([timeout, aborting]))) ?? false;
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

/** Equal answers before a suspect answer is no longer taken for a passing error. */
const suspectAnswers = 3;
/** Events that are sent alone to find one that the output accepts. */
const evidenceSamples = 3;

const stopped: SendEnd = { kind: "stopped" };

type SuspectOutcome = Extract<SendOutcome, { kind: "suspect" }>;
type FailedOutcome = Exclude<SendOutcome, { kind: "delivered" | "split" | "suspect" }>;

/** Events that are sent together. */
interface Group {
  readonly events: readonly StoredEvent[];
  /** The kind of the last suspect answer to exactly these events, and how often it came in a row. */
  readonly suspectKey: string | undefined;
  readonly suspectAnswers: number;
}

/** What is known of a batch while it is sent. The groups and the two lists together are always all of its events. */
class BatchProgress {
  readonly size: number;
  readonly delivered: StoredEvent[] = [];
  readonly rejected: RejectedEvent[] = [];
  /** Failed attempts in a row. */
  failures: number;
  /** An event was accepted after a suspect answer: the output works, and the answer was about other events. */
  hasEvidence = false;
  /** In order. */
  readonly #groups: Group[];

  constructor(events: readonly StoredEvent[], failures: number) {
    this.failures = failures;
    this.size = events.length;
    this.#groups = [groupOf(events)];
  }

  /** No event of it has been accepted or rejected. */
  get isUntouched(): boolean {
    return this.delivered.length + this.rejected.length === 0;
  }

  nextGroup(): Group | undefined {
    return this.#groups.shift();
  }

  putBack(group: Group): void {
    this.#groups.unshift(group);
  }

  /** @returns how many events of the group are left to be sent */
  add({ delivered, rejected, next }: Verdict): number {
    this.delivered.push(...delivered);
    this.rejected.push(...rejected);
    this.#groups.unshift(...next.map(groupOf));
    return next[0]?.length ?? 0;
  }

  deliver(event: StoredEvent): void {
    this.delivered.push(event);
  }

  reject(events: readonly StoredEvent[], reason: string): void {
    this.rejected.push(...events.map((event) => ({ event, reason })));
  }

  halve(events: readonly StoredEvent[]): void {
    this.#groups.unshift(...halvesOf(events).map(groupOf));
  }
}

function groupOf(events: readonly StoredEvent[]): Group {
  return { events, suspectKey: undefined, suspectAnswers: 0 };
}

/** A batch is halved in the same way after a crash, so that outputs which recognise a batch by its numbers recognise the halves. */
function halvesOf(events: readonly StoredEvent[]): readonly (readonly StoredEvent[])[] {
  if (events.length < 2) return [events];
  const middle = Math.ceil(events.length / 2);
  return [events.slice(0, middle), events.slice(middle)];
}

interface Verdict extends SendResult {
  /** What is sent next, in order. With the two lists it makes up the whole group. */
  readonly next: readonly (readonly StoredEvent[])[];
  /** Set if `next` has to wait before it is sent. */
  readonly failed: FailedOutcome | undefined;
}

function judge(group: readonly StoredEvent[], outcome: Exclude<SendOutcome, SuspectOutcome>): Verdict {
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
      return { ...nothing, next: halvesOf(group) };
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
