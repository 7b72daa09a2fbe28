import type { AnyElysia } from "elysia";
import type { Config } from "../config/config.ts";
import type { AddressDatabases } from "../enrich/databases.ts";
import type { Enricher } from "../enrich/enricher.ts";
import type { ReverseDns } from "../enrich/reverse-dns.ts";
import type { Authenticator } from "../ingest/authentication.ts";
import { type History, startHistory } from "../monitoring/history/history.ts";
import { createRefusalRecords, type RefusedRequest } from "../monitoring/refusals/refusal-records.ts";
import { createAttackRollups } from "../monitoring/rollups/attack-rollups.ts";
import { createWatcher } from "../monitoring/sampling/event-sampler.ts";
import { createTurns } from "../monitoring/sampling/time-slices.ts";
import { createSensorActivity } from "../monitoring/sensors/sensor-activity.ts";
import { createRecentEvents } from "../monitoring/tail/recent-events.ts";
import { createSearchTexts } from "../monitoring/tail/search-texts.ts";
import { createTail } from "../monitoring/tail/tail-stream.ts";
import type { Outputs } from "../outputs/outputs.ts";
import type { WatchBatch } from "../pipeline.ts";
import type { Ledger } from "../telemetry/ledger.ts";
import type { Log } from "../telemetry/log.ts";
import { createProcessResources } from "../telemetry/process-resources.ts";
import { createAttacksApi } from "./api/attacks.ts";
import { createDeadLettersApi } from "./api/dead-letters.ts";
import { createEnrichmentApi } from "./api/enrichment.ts";
import { createEnrichmentAnswers } from "./api/enrichment-answers.ts";
import { createOutputAnswers, createOutputsApi, outboxAnswer } from "./api/outputs.ts";
import { createOverviewApi } from "./api/overview.ts";
import { createRefusalsApi } from "./api/refusals.ts";
import { createSensorAnswers } from "./api/sensor-answers.ts";
import { createSensorsApi } from "./api/sensors.ts";
import { createSetupApi } from "./api/setup.ts";
import { createTailApi } from "./api/tail.ts";
import type { Sessions } from "./sign-in/sessions.ts";

/** What the dashboard reads. */
export interface DashboardSources {
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly authenticator: Authenticator;
  readonly databases: AddressDatabases;
  readonly enricher: Enricher;
  /** undefined: reverse DNS is off. */
  readonly reverseDns: ReverseDns | undefined;
  readonly outputs: Outputs;
  readonly problem: () => string | undefined;
  readonly ingestProblem: () => string | undefined;
  /** The ingest server's, once it listens. */
  readonly ingestPort: () => number;
  /** The certificate that sensors see, PEM; undefined: plain HTTP. */
  readonly ingestCertificate: () => string | undefined;
}

/** Everything behind the page: what is remembered of events and refusals, and the API that tells it. */
export interface Dashboard {
  readonly watch: WatchBatch;
  noteRefusal(refused: RefusedRequest): void;
  routes(sessions: Pick<Sessions, "watch">): readonly AnyElysia[];
  /** Shows viewers of the tail what came last, and ends their streams. */
  stop(): Promise<void>;
}

/** To be made at the start: its times and rates begin here. */
export function createDashboard(sources: DashboardSources): Dashboard {
  const { config, version, log, ledger, authenticator, enricher, reverseDns, outputs } = sources;
  const { problem, ingestProblem } = sources;
  const startedAt = Date.now();
  const outbox = outputs.ledger?.outbox;
  const resources = createProcessResources({ directory: outbox && config.output.outbox.dir });
  const history = startHistory({ ledger, onSample: resources.sample });
  const refusals = createRefusalRecords({ claimOf: authenticator.claimOf });

  const rollups = createAttackRollups();
  const activity = createSensorActivity();
  const recentEvents = createRecentEvents({ maxBytes: config.dashboard.recentEventsBytes });
  const searchTexts = createSearchTexts();
  const turns = createTurns();
  const watcher = createWatcher({
    recentEvents,
    searchTexts,
    turns,
    onExamined(event) {
      rollups.note(event);
      activity.noteEvent(event);
    },
    onDefect: (error) =>
      log.error("BUG: the dashboard cannot count an event", { error: (error as Error).stack }),
  });
  const tail = createTail({ watcher, recentEvents, searchTexts, turns, startedAt });

  const sensors = createSensorAnswers({
    sensorIds: () => authenticator.sensorIds,
    quietAfterSeconds: config.dashboard.quietAfterSeconds,
    ledger,
    history,
    activity,
    refusals,
  });
  const enrichment = createEnrichmentAnswers({
    databases: () => sources.databases.describe(),
    counts: enricher.counts,
    dns: reverseDns?.counts,
    history,
  });
  const outputAnswers = createOutputAnswers({
    reports: outputs.reports,
    history: deliveryHistories(outputs, history),
  });

  return {
    watch(batch) {
      activity.noteBatch(batch.sensorId, Date.now());
      watcher.watch(batch);
    },
    noteRefusal: refusals.note,
    routes: ({ watch: watchSession }) => [
      createOverviewApi({
        version,
        startedAt,
        problem,
        ingestProblem,
        ledger,
        history,
        sensors,
        refusals,
        enrichment,
        resources,
        outputs: outputAnswers,
        outbox: () => (outbox ? outboxAnswer(outbox()) : null),
        viewers: () => tail.viewerCount,
      }),
      createSensorsApi({ sensors }),
      createSetupApi({
        host: config.server.listenAddress.host,
        port: sources.ingestPort,
        certificate: sources.ingestCertificate,
        tokenFile: config.auth.tokenFile,
      }),
      createRefusalsApi({ ledger, history, refusals }),
      createAttacksApi({ rollups }),
      createEnrichmentApi({ enrichment }),
      createOutputsApi({ outputs: outputAnswers, outbox }),
      createDeadLettersApi({
        deadLetters: outputs.deadLetters,
        onError: (error) => log.error("cannot read dead letters for the dashboard", { error: error.message }),
      }),
      createTailApi({ tail, recentEvents, watchSession }),
    ],
    async stop() {
      history.stop();
      await tail.stop();
    },
  };
}

/** Of every output, from the start on. */
function deliveryHistories({ reports }: Outputs, history: History) {
  const deliveredEvents = (name: string) =>
    reports().find(({ output }) => output === name)?.deliveredEvents ?? 0;
  const track = (name: string) => history.track(`output ${name}`, () => deliveredEvents(name));
  for (const { output } of reports()) track(output);
  return (name: string) => {
    const counter = track(name);
    return { perSecondLastMinute: counter.perSecond(60_000), lastHour: counter.lastHour() };
  };
}
