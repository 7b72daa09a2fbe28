import type { Log } from "../../telemetry/log.ts";
import type { ErrorClass } from "./attempt.ts";

export interface DeliveryState {
  /** "retrying" and "holding" last from the first failure until something gets through, attempts between included. */
  readonly kind: "idle" | "delivering" | "retrying" | "holding";
  /** Why it retries or holds. */
  readonly reason: string | undefined;
  /** Since when it is in this state; milliseconds since the epoch, as all times here. */
  readonly since: number;
  /** Failures in a row. */
  readonly attempt: number;
  /** undefined: an attempt is on its way, or none is needed. */
  readonly nextTryAt: number | undefined;
  readonly lastError:
    | { readonly class: ErrorClass; readonly reason: string; readonly at: number }
    | undefined;
  readonly lastDeliveredAt: number | undefined;
}

export interface Failure {
  /** What can't be done, as the log is to say it: "deliver 500 events to clickhouse". */
  readonly what: string;
  readonly reason: string;
  readonly errorClass: ErrorClass;
  /** Somebody must mend something before it can go on. */
  readonly isHold: boolean;
  readonly waitMs: number;
}

/** Keeps the state of one delivery, and logs what an operator should know of it: first failures, a line a minute, recovery. */
export interface DeliveryHealth {
  readonly state: DeliveryState;
  working(): void;
  resting(): void;
  /** Nothing to wait for came of it, but it is the last error now. */
  noted(errorClass: ErrorClass, reason: string): void;
  failed(failure: Failure): void;
  /** The output took something, or judged it. */
  succeeded(): void;
  delivered(): void;
}

/** While it goes on failing. */
const logIntervalMs = 60_000;
/** A reason may quote what an output answered. */
const maxReasonLength = 1000;

export function createDeliveryHealth(outputName: string, log: Log, now: () => number): DeliveryHealth {
  let state: DeliveryState = {
    kind: "idle",
    reason: undefined,
    since: now(),
    attempt: 0,
    nextTryAt: undefined,
    lastError: undefined,
    lastDeliveredAt: undefined,
  };
  let lastLoggedAt = 0;
  let isHoldLogged = false;

  const isInTrouble = () => state.kind === "retrying" || state.kind === "holding";

  function calm(kind: "idle" | "delivering"): void {
    if (state.kind === kind) return;
    state = { ...state, kind, reason: undefined, since: now(), attempt: 0, nextTryAt: undefined };
  }

  function logFailure({ what, reason, isHold, waitMs }: Failure): void {
    const at = now();
    const isNews = state.attempt === 1 || (isHold && !isHoldLogged);
    if (!isNews && at - lastLoggedAt < logIntervalMs) return;
    lastLoggedAt = at;
    if (isHold) isHoldLogged = true;
    const next = `${isHold ? "held until that is mended; trying again" : "retrying"} in ${seconds(waitMs)}`;
    const message = `${isNews ? "cannot" : "still cannot"} ${what}: ${reason}; ${next}`;
    log[isHold ? "error" : "warn"](message, { output: outputName, failures: state.attempt });
  }

  return {
    get state() {
      return state;
    },
    working() {
      if (isInTrouble()) state = { ...state, nextTryAt: undefined };
      else calm("delivering");
    },
    resting: () => calm("idle"),
    noted(errorClass, reason) {
      state = { ...state, lastError: { class: errorClass, reason: cut(reason), at: now() } };
    },
    failed(failure) {
      const at = now();
      const kind = failure.isHold ? "holding" : "retrying";
      const reason = cut(failure.reason);
      state = {
        ...state,
        kind,
        reason,
        since: state.kind === kind ? state.since : at,
        attempt: state.attempt + 1,
        nextTryAt: at + failure.waitMs,
        lastError: { class: failure.errorClass, reason, at },
      };
      logFailure({ ...failure, reason });
    },
    succeeded() {
      if (!isInTrouble()) return;
      log.info(`delivering to ${outputName} again`, { output: outputName, failures: state.attempt });
      isHoldLogged = false;
      calm("delivering");
    },
    delivered() {
      state = { ...state, lastDeliveredAt: now() };
    },
  };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}

function cut(reason: string): string {
  return reason.length <= maxReasonLength ? reason : `${reason.slice(0, maxReasonLength)}…`;
}
