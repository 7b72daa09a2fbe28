import type { Log } from "../../telemetry/log.ts";
import { formatDuration } from "../../text/duration.ts";
import { truncate } from "../../text/truncate.ts";
import type { OutputReport } from "../output-report.ts";
import type { ErrorClass } from "./attempt.ts";

/** The part of an output's report that tells how delivery to it is going. */
export type DeliveryState = Pick<
  OutputReport,
  "state" | "since" | "reason" | "failures" | "nextTryAt" | "lastError" | "lastDeliveredAt"
>;

export interface Failure {
  /** What failed, as the log says it after "cannot": "deliver 500 events to clickhouse". */
  readonly action: string;
  readonly reason: string;
  readonly errorClass: ErrorClass;
  /** Delivery cannot continue until somebody fixes something. */
  readonly isBlocked: boolean;
  /** The pause before the next attempt. */
  readonly waitMs: number;
}

/** While delivery keeps failing, one line is logged in this interval. */
const logIntervalMs = 60_000;
/** A reason may quote the answer of an output. */
const maxReasonLength = 1000;

/** Keeps the state of one delivery, and logs what operators need to know of it: the first failure, a line a minute, recovery. */
export class DeliveryHealth {
  readonly #output: string;
  readonly #log: Log;
  readonly #now: () => number;
  #state: DeliveryState;
  /** Why the output counts as blocked though it answers: it rejects most events; undefined: it does not. */
  #rejecting: { readonly reason: string; readonly since: number } | undefined;
  #lastLoggedAt = 0;
  #isBlockLogged = false;

  /** @param now milliseconds since the epoch */
  constructor(output: string, log: Log, now: () => number) {
    this.#output = output;
    this.#log = log;
    this.#now = now;
    this.#state = {
      state: "idle",
      reason: undefined,
      since: now(),
      failures: 0,
      nextTryAt: undefined,
      lastError: undefined,
      lastDeliveredAt: undefined,
    };
  }

  get state(): DeliveryState {
    if (!this.#rejecting || this.#isFailing()) return this.#state;
    return { ...this.#state, state: "holding", ...this.#rejecting };
  }

  /** Why the output cannot be used now; undefined: it can. */
  get problem(): string | undefined {
    const { state, reason } = this.state;
    return state === "retrying" || state === "holding" ? `${this.#output}: ${reason}` : undefined;
  }

  /** @param problem why the output counts as blocked, because it rejects most events; undefined: it does not */
  rejectingMost(problem: string | undefined): void {
    const reason = problem === undefined ? undefined : truncate(problem, maxReasonLength);
    if (reason !== undefined && !this.#rejecting)
      this.#log.error(`most events are rejected by ${this.#output}; sending a few at a time: ${reason}`, {
        output: this.#output,
      });
    if (reason === undefined && this.#rejecting)
      this.#log.info(`most events are accepted by ${this.#output} again`, { output: this.#output });
    this.#rejecting =
      reason === undefined ? undefined : { reason, since: this.#rejecting?.since ?? this.#now() };
  }

  /** An attempt begins. */
  attempting(): void {
    if (this.#isFailing()) this.#state = { ...this.#state, nextTryAt: undefined };
    else this.#enter("delivering");
  }

  /** No attempt is needed now. A failure lasts as long as events are pending. */
  idle(pendingEvents: number): void {
    if (pendingEvents === 0 || !this.#isFailing()) this.#enter("idle");
  }

  /** Records an error that needs no pause. */
  noted(errorClass: ErrorClass, reason: string): void {
    this.#state = { ...this.#state, lastError: this.#errorOf(errorClass, truncate(reason, maxReasonLength)) };
  }

  failed(failure: Failure): void {
    const at = this.#now();
    const state = failure.isBlocked ? "holding" : "retrying";
    const reason = truncate(failure.reason, maxReasonLength);
    this.#state = {
      ...this.#state,
      state,
      reason,
      since: this.#state.state === state ? this.#state.since : at,
      failures: this.#state.failures + 1,
      nextTryAt: at + failure.waitMs,
      lastError: this.#errorOf(failure.errorClass, reason),
    };
    this.#logFailure(failure, reason);
  }

  /** The output has accepted or rejected events, or a failed action has succeeded. */
  succeeded(): void {
    if (!this.#isFailing()) return;
    this.#log.info(`delivering to ${this.#output} again`, {
      output: this.#output,
      failures: this.#state.failures,
    });
    this.#isBlockLogged = false;
    this.#enter("delivering");
  }

  /** Events were delivered. */
  delivered(): void {
    this.#state = { ...this.#state, lastDeliveredAt: this.#now() };
  }

  #isFailing(): boolean {
    return this.#state.state === "retrying" || this.#state.state === "holding";
  }

  #enter(state: "idle" | "delivering"): void {
    if (this.#state.state === state) return;
    this.#state = {
      ...this.#state,
      state,
      reason: undefined,
      since: this.#now(),
      failures: 0,
      nextTryAt: undefined,
    };
  }

  #errorOf(errorClass: ErrorClass, reason: string): DeliveryState["lastError"] {
    return { class: errorClass, reason, at: this.#now() };
  }

  #logFailure({ action, isBlocked, waitMs }: Failure, reason: string): void {
    const at = this.#now();
    const isNew = this.#state.failures === 1 || (isBlocked && !this.#isBlockLogged);
    if (!isNew && at - this.#lastLoggedAt < logIntervalMs) return;
    this.#lastLoggedAt = at;
    if (isBlocked) this.#isBlockLogged = true;
    const next = isBlocked ? "blocked until fixed; trying again in" : "retrying in";
    const message = `${isNew ? "cannot" : "still cannot"} ${action}: ${reason}; ${next} ${formatDuration(waitMs)}`;
    this.#log[isBlocked ? "error" : "warn"](message, {
      output: this.#output,
      failures: this.#state.failures,
    });
  }
}
