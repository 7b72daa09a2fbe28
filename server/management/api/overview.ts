import { Elysia } from "elysia";
import type { Chronicle } from "../../monitoring/history/chronicle.ts";
import type { History } from "../../monitoring/history/history.ts";
import type { RefusalHistory } from "../../monitoring/refusals/refusal-history.ts";
import type { RefusalRecords } from "../../monitoring/refusals/refusal-records.ts";
import type { SensorTotals } from "../../monitoring/sensors/sensor-totals.ts";
import { type Ledger, refusedByReason, refusedRequests } from "../../telemetry/ledger.ts";
import type { ProcessResources } from "../../telemetry/process-resources.ts";
import type { OutboxAnswer, OutputAnswer, OverviewAnswer } from "./answers.ts";
import type { EnrichmentAnswers } from "./enrichment-answers.ts";
import { jsonAnswer } from "./json-answer.ts";
import { refusalKinds } from "./refusals.ts";
import type { SensorAnswers } from "./sensor-answers.ts";
import { sharedAnswer, sharedForMs } from "./shared-answer.ts";

export interface OverviewApiOptions {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly problem: () => string | undefined;
  readonly ingestProblem: () => string | undefined;
  readonly ledger: Ledger;
  readonly totals: SensorTotals;
  readonly chronicle: Chronicle;
  /** Whether what the dashboard knows is saved. */
  readonly isStateSaved: boolean;
  readonly history: Pick<History, "kept" | "refused">;
  readonly sensors: Pick<SensorAnswers, "fleet">;
  readonly refusals: Pick<RefusalRecords, "counts" | "lastAt" | "sensorsConcerned">;
  readonly refusalHistory: Pick<RefusalHistory, "lastHour">;
  readonly outputs: () => readonly OutputAnswer[];
  /** null if stdout is the only output, because it needs no outbox. */
  readonly outbox: () => OutboxAnswer | null;
  readonly enrichment: EnrichmentAnswers;
  readonly resources: ProcessResources;
  /** The number of viewers of the live tail. */
  readonly viewers: () => number;
}

const hourMs = 3_600_000;
const nowWindowMs = 10_000;

/** `GET /api/v1/overview` */
export function createOverviewApi(options: OverviewApiOptions) {
  const { ledger, history, totals, chronicle, enrichment, resources } = options;
  const { clock } = chronicle;
  const answer = sharedAnswer(
    (): OverviewAnswer => ({
      now: clock.now(),
      startedAt: options.startedAt,
      version: options.version,
      ingestProblem: options.ingestProblem() ?? null,
      problem: options.problem() ?? null,
      totals: {
        sinceAt: chronicle.firstAt,
        keptEvents: totals.keptEvents(),
        refusedRequests: totals.refusedRequests(),
        refusedByReason: Object.fromEntries(totals.refusedByReason()),
        isSaved: options.isStateSaved,
      },
      events: {
        kept: history.kept.total,
        perSecond: history.kept.perSecond(nowWindowMs),
        keptLastHour: Math.round(history.kept.countOver(hourMs)),
        history: history.kept.lastHour(),
      },
      ...fleetAnswer(options),
      refusals: {
        requests: refusedRequests(ledger),
        requestsLastHour: Math.round(history.refused.countOver(hourMs)),
        lastAt: options.refusals.lastAt ?? null,
        byReason: Object.fromEntries(refusedByReason(ledger)),
        sensorsLastHour: options.refusals.sensorsConcerned(hourMs),
        ...refusalKinds(options.refusals, options.refusalHistory),
      },
      outputs: options.outputs(),
      enrichment: enrichment.fieldHits(),
      oldDatabases: enrichment.oldDatabases(),
      hasBuiltinNetworks: enrichment.hasBuiltinNetworks(),
      resources: {
        residentBytes: resources.residentBytes,
        cpuCores: resources.cpuCores,
        outbox: options.outbox(),
        disk: resources.disk ?? null,
        viewers: options.viewers(),
      },
    }),
    sharedForMs,
    clock.monotonic,
  );
  return new Elysia({ strictPath: true }).get("/api/v1/overview", () => jsonAnswer(answer()));
}

function fleetAnswer({ sensors }: OverviewApiOptions): Pick<OverviewAnswer, "sensors" | "fleet"> {
  const { byState, ...fleet } = sensors.fleet();
  return { sensors: byState, fleet };
}
