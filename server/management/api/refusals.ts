import { Elysia } from "elysia";
import { statusOfRefusal } from "../../ingest/refusal.ts";
import type { Chronicle } from "../../monitoring/history/chronicle.ts";
import type { History } from "../../monitoring/history/history.ts";
import type { RefusalGroup } from "../../monitoring/refusals/group-pool.ts";
import type { RefusalKind } from "../../monitoring/refusals/refusal-counts.ts";
import type { RefusalHistory } from "../../monitoring/refusals/refusal-history.ts";
import type { RefusalRecords } from "../../monitoring/refusals/refusal-records.ts";
import type { SensorTotals } from "../../monitoring/sensors/sensor-totals.ts";
import { type Ledger, refusedRequests } from "../../telemetry/ledger.ts";
import type { RefusalAnswer, RefusalCountsAnswer, RefusalKindsAnswer, RefusalsAnswer } from "./answers.ts";
import { jsonAnswer } from "./json-answer.ts";
import { refusalAdvice } from "./refusal-advice.ts";
import { sharedAnswer, sharedForMs } from "./shared-answer.ts";

export interface RefusalsApiOptions {
  readonly ledger: Ledger;
  readonly history: Pick<History, "refused">;
  readonly refusals: RefusalRecords;
  readonly totals: Pick<SensorTotals, "refusedRequests">;
  readonly chronicle: Pick<Chronicle, "firstAt">;
  readonly refusalHistory: RefusalHistory;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds, monotonic. */
  readonly monotonic?: () => number;
}

/** `GET /api/v1/refusals` */
export function createRefusalsApi(options: RefusalsApiOptions) {
  const { ledger, history, refusals, refusalHistory, totals, chronicle, now = Date.now } = options;
  const answer = sharedAnswer(
    (): RefusalsAnswer => ({
      now: now(),
      requests: refusedRequests(ledger),
      totalRequests: totals.refusedRequests(),
      countedSinceAt: chronicle.firstAt,
      ...refusalKinds(refusals, refusalHistory),
      history: history.refused.lastHour(),
      sensorHistory: refusalHistory.sensorRequests(),
      strangerHistory: refusalHistory.strangerRequests(),
      refusals: refusals.groups().map(refusalAnswer),
      forgottenRequests: refusals.evictedRequests,
      advice: refusalAdvice,
    }),
    sharedForMs,
    options.monotonic,
  );
  return new Elysia({ strictPath: true }).get("/api/v1/refusals", () => jsonAnswer(answer()));
}

/** The refused requests by whom they concern. */
export function refusalKinds(
  refusals: Pick<RefusalRecords, "counts">,
  history: Pick<RefusalHistory, "lastHour">,
): RefusalKindsAnswer {
  const answerOf = (kind: RefusalKind): RefusalCountsAnswer => {
    const { total, lastAt = null, byReason } = refusals.counts(kind);
    const lastHour = history.lastHour(kind);
    return {
      ...total,
      lastAt,
      requestsLastHour: lastHour.requests,
      eventsLastHour: lastHour.events,
      byReason: Object.fromEntries(byReason),
    };
  };
  return { own: answerOf("own"), claimed: answerOf("claimed"), strangers: answerOf("stranger") };
}

export function refusalAnswer(group: RefusalGroup): RefusalAnswer {
  const { reason, firstAt, lastAt, count, events, isEstimate } = group;
  return {
    reason,
    status: statusOf(reason),
    sensorId: group.sensorId ?? null,
    isStranger: group.sensorId === undefined && group.claimedSensorId === undefined,
    claimedSensorId: group.claimedText ?? null,
    client: group.client ?? null,
    detail: group.detail ?? null,
    firstAt,
    lastAt,
    count,
    events,
    isEstimate,
  };
}

function statusOf(reason: string): number {
  const statuses: Readonly<Record<string, number>> = statusOfRefusal;
  return statuses[reason] ?? statusOfRefusal.internal_error;
}
