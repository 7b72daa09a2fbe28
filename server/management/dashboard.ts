import type { AnyElysia } from "elysia";
import type { Config } from "../config/config.ts";
import type { AddressDatabases } from "../enrich/databases.ts";
import type { Enricher } from "../enrich/enricher.ts";
import type { IgnoreRules } from "../enrich/ignore-rules.ts";
import type { ReverseDns } from "../enrich/reverse-dns.ts";
import type { DatabaseUpdates } from "../enrich/update/database-updates.ts";
import type { Authenticator } from "../ingest/authentication.ts";
import type { RefusedRequest } from "../ingest/refusal.ts";
import { type Monitoring, startMonitoring } from "../monitoring/monitoring.ts";
import type { StateFile } from "../monitoring/saved-state/state-file.ts";
import { type History, isReader } from "../outputs/open-history.ts";
import type { Outputs } from "../outputs/outputs.ts";
import type { ObserveBatch } from "../pipeline.ts";
import type { Ledger } from "../telemetry/ledger.ts";
import type { Log } from "../telemetry/log.ts";
import { createAttacksApi } from "./api/attacks.ts";
import { createDeadLettersApi } from "./api/dead-letters.ts";
import { createEnrichmentApi } from "./api/enrichment.ts";
import { createEnrichmentAnswers } from "./api/enrichment-answers.ts";
import { createHistoryApi } from "./api/history.ts";
import { createOutputAnswers, createOutputsApi, outboxAnswer } from "./api/outputs.ts";
import { createOverviewApi } from "./api/overview.ts";
import { createRefusalsApi } from "./api/refusals.ts";
import { SensorAnswers } from "./api/sensor-answers.ts";
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
  readonly updates: Pick<DatabaseUpdates, "reports">;
  /** undefined: reverse DNS is off. */
  readonly reverseDns: ReverseDns | undefined;
  readonly ignoreRules: Pick<IgnoreRules, "rules">;
  readonly outputs: Outputs;
  readonly history: History;
  /** The file with what the dashboard knows; undefined: nothing is saved. */
  readonly stateFile: StateFile | undefined;
  readonly problem: () => string | undefined;
  readonly ingestProblem: () => string | undefined;
  /** The port of the ingest server. */
  readonly ingestPort: () => number;
  /** The certificate that sensors see, PEM; undefined: plain HTTP. */
  readonly ingestCertificate: () => string | undefined;
}

/** The dashboard without its page: what is recorded of events and refused requests, and the API that serves it. */
export interface Dashboard {
  readonly observe: ObserveBatch;
  noteRefusal(refused: RefusedRequest): void;
  routes(sessions: Pick<Sessions, "trackValidity">): readonly AnyElysia[];
  /** Sends the newest events to the viewers of the tail, ends their streams, and saves what the dashboard knows. */
  stop(): Promise<void>;
}

/** To be called at the start: the dashboard's times and rates begin here. */
export function createDashboard(sources: DashboardSources): Dashboard {
  const { config, ledger, authenticator, outputs } = sources;
  const log = sources.log.component("management");
  const outbox = outputs.ledger?.outbox;
  const monitoring = startMonitoring({
    ledger,
    claimOf: authenticator.claimOf,
    sensorIds: () => authenticator.sensorIds,
    stateFile: sources.stateFile,
    log,
    recentEventsBytes: config.dashboard.recentEventsBytes,
    dataDirectory: outbox && config.output.outbox.dir,
    onDefect: (error) =>
      log.error("BUG: the dashboard cannot count an event; it is missing from the dashboard's counts", {
        error: error instanceof Error ? error.stack : String(error),
      }),
  });
  const answers = createAnswers(sources, monitoring);
  return {
    observe: monitoring.observe,
    noteRefusal: monitoring.noteRefusal,
    routes: (sessions) => [
      ...summaryRoutes(sources, monitoring, answers),
      createOutputsApi({ outputs: answers.outputs, outbox }),
      createDeadLettersApi({
        deadLetters: outputs.deadLetters,
        onError: (error) => log.error("cannot read dead letters for the dashboard", { error: error.message }),
      }),
      createHistoryApi({
        history: sources.history,
        onError: (error) => log.error("cannot search stored events", { error: error.message }),
      }),
      createTailApi({
        tail: monitoring.tail,
        recentEvents: monitoring.recentEvents,
        trackValidity: (request) => sessions.trackValidity(request),
      }),
    ],
    async stop() {
      await monitoring.stop();
      if (isReader(sources.history)) await sources.history.close();
    },
  };
}

/** The answers that more than one resource of the API contains. */
function createAnswers(sources: DashboardSources, monitoring: Monitoring) {
  const { history, activity, refusals, loss, totals, chronicle } = monitoring;
  const { config, ledger, authenticator, databases, updates, enricher, reverseDns, ignoreRules, outputs } =
    sources;
  return {
    sensors: new SensorAnswers({
      sensorIds: () => authenticator.sensorIds,
      quietAfterSeconds: config.dashboard.quietAfterSeconds,
      ledger,
      history,
      ...{ activity, refusals, loss, totals, chronicle },
    }),
    enrichment: createEnrichmentAnswers({
      databases: () => databases.describe(),
      updates: () => updates.reports(),
      counts: enricher.counts,
      dns: reverseDns?.counts,
      ignoreRules: () => ignoreRules.rules,
      history,
    }),
    outputs: createOutputAnswers({
      reports: outputs.reports,
      history: deliveryHistories(outputs, history),
    }),
  };
}

function summaryRoutes(
  sources: DashboardSources,
  monitoring: Monitoring,
  answers: ReturnType<typeof createAnswers>,
): readonly AnyElysia[] {
  const { config, version, ledger, outputs, problem, ingestProblem } = sources;
  const { startedAt, chronicle, totals, history, refusals, refusalHistory, resources, tail, rollups } =
    monitoring;
  const outbox = outputs.ledger?.outbox;
  return [
    createOverviewApi({
      ...answers,
      ...{ version, startedAt, problem, ingestProblem },
      ...{ ledger, totals, chronicle, history, refusals, refusalHistory, resources },
      isStateSaved: sources.stateFile !== undefined,
      outbox: () => (outbox ? outboxAnswer(outbox()) : null),
      viewers: () => tail.viewerCount,
    }),
    createSensorsApi({ sensors: answers.sensors }),
    createSetupApi({
      host: config.server.listenAddress.host,
      port: sources.ingestPort,
      certificate: sources.ingestCertificate,
      tokenFile: config.auth.tokenFile,
    }),
    createRefusalsApi({ ledger, history, refusals, refusalHistory, totals, chronicle }),
    createAttacksApi({ rollups }),
    createEnrichmentApi({ enrichment: answers.enrichment }),
  ];
}

/** The history of each output's delivered events, recorded from the start on. */
function deliveryHistories({ reports }: Outputs, history: Monitoring["history"]) {
  const deliveredEvents = (name: string) =>
    reports().find(({ output }) => output === name)?.deliveredEvents ?? 0;
  const track = (name: string) => history.track(`output ${name}`, () => deliveredEvents(name));
  for (const { output } of reports()) track(output);
  return (name: string) => {
    const counter = track(name);
    return { perSecondLastMinute: counter.perSecond(60_000), lastHour: counter.lastHour() };
  };
}
