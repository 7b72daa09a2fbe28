import { Elysia } from "elysia";
import { statusOfRefusal } from "../../ingest/refusal.ts";
import type { Chronicle } from "../../monitoring/history/chronicle.ts";
import type { History } from "../../monitoring/history/history.ts";
import type { RefusalGroup } from "../../monitoring/refusals/group-pool.ts";
import type { RefusalRecords } from "../../monitoring/refusals/refusal-records.ts";
import type { SensorTotals } from "../../monitoring/sensors/sensor-totals.ts";
import { type Ledger, refusedRequests } from "../../telemetry/ledger.ts";
import type { RefusalAnswer, RefusalsAnswer } from "./answers.ts";
import { jsonAnswer } from "./json-answer.ts";
import { refusalAdvice } from "./refusal-advice.ts";
import { sharedAnswer, sharedForMs } from "./shared-answer.ts";

export interface RefusalsApiOptions {
  readonly ledger: Ledger;
  readonly history: Pick<History, "refused">;
  readonly refusals: RefusalRecords;
  readonly totals: Pick<SensorTotals, "refusedRequests">;
  readonly chronicle: Pick<Chronicle, "firstAt">;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds, monotonic. */
  readonly monotonic?: () => number;
}

/** `GET /api/v1/refusals` */
export function createRefusalsApi(options: RefusalsApiOptions) {
  const { ledger, history, refusals, totals, chronicle, now = Date.now } = options;
  const answer = sharedAnswer(
    (): RefusalsAnswer => ({
      now: now(),
      requests: refusedRequests(ledger),
      totalRequests: totals.refusedRequests(),
      countedSinceAt: chronicle.firstAt,
      history: history.refused.lastHour(),
      refusals: refusals.groups().map(refusalAnswer),
      forgottenRequests: refusals.evictedRequests,
      advice: refusalAdvice,
    }),
    sharedForMs,
    options.monotonic,
  );
  return new Elysia({ strictPath: true }).get("/api/v1/refusals", () => jsonAnswer(answer()));
}

export function refusalAnswer(group: RefusalGroup): RefusalAnswer {
  const { reason, firstAt, lastAt, count } = group;
  return {
    reason,
    status: statusOf(reason),
    sensorId: group.sensorId ?? null,
    claimedSensorId: group.claimedText ?? null,
    client: group.client ?? null,
    detail: group.detail ?? null,
    firstAt,
    lastAt,
    count,
  };
}

function statusOf(reason: string): number {
  const statuses: Readonly<Record<string, number>> = statusOfRefusal;
  return statuses[reason] ?? statusOfRefusal.internal_error;
}
