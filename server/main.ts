import type { Config } from "./config/config.ts";
import { managementTokenWarnings } from "./config/management-tokens.ts";
import { startEnrichment } from "./enrich/enrichment.ts";
import { declareEnrichmentMetrics } from "./enrich/enrichment-metrics.ts";
import { Listener } from "./http/listener.ts";
import { createAuthenticator } from "./ingest/authentication.ts";
import { createIngestApp } from "./ingest/ingest-app.ts";
import { declareIngestMetrics } from "./ingest/ingest-metrics.ts";
import { openDashboardState } from "./management/dashboard-state.ts";
import { declareHealthMetrics } from "./management/health-metrics.ts";
import { startManagement } from "./management/management.ts";
import { Readiness } from "./management/readiness.ts";
import type { ConfiguredOutput } from "./outputs/descriptor.ts";
import { openHistory } from "./outputs/open-history.ts";
import { declareAttemptMetrics, declareOutputMetrics } from "./outputs/output-metrics.ts";
import { type Outputs, type OutputsOptions, startOutputs } from "./outputs/outputs.ts";
import { Reloader, readCertificate, readSensors } from "./reload.ts";
import { Ledger } from "./telemetry/ledger.ts";
import type { Log } from "./telemetry/log.ts";
import { MetricRegistry } from "./telemetry/metric-registry.ts";
import { declareProcessMetrics } from "./telemetry/process-metrics.ts";
import { createRefusalLog } from "./telemetry/refusal-log.ts";
import { version } from "./version.ts";

export interface LoomOptions {
  readonly config: Config<ConfiguredOutput>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Reads the configuration file again for a reload. @throws ConfigError; undefined: there is no file */
  readonly readConfig?: () => Promise<Config>;
  /** Called once when Loom cannot continue because stdout is closed. */
  readonly onFatal: (error: Error) => void;
  /** Ends the start, which fails then. It has no effect on a Loom that has started. */
  readonly signal?: AbortSignal;
}

export interface Loom {
  readonly ingestPort: number;
  readonly managementPort: number | undefined;
  /** A link that works once; undefined: LOOM_ADMIN_TOKEN is set, or there is no management port. */
  signInLink(): string | undefined;
  /** Reads tokens, certificate, [[ignore]] rules and databases again. What is wrong is logged, and the previous one stays in use. */
  reload(): Promise<void>;
  /** Answers the requests in flight, writes out what they brought, and closes everything; takes less than 10 s. */
  stop(): Promise<void>;
}

/** The parts of the 10 s that a stop may take: for the answers in flight, and for batches on their way to an output. */
const ingestStopMs = 6_000;
const outputStopMs = 1_500;

/**
 * Starts the stages from the last one to the first, so that each gets the next one and nothing arrives before
 * everything works. @throws Error if one of them cannot start, or `signal` ended the start
 */
export async function startLoom(options: LoomOptions): Promise<Loom> {
  const { config, log } = options;
  const { server } = config;
  const history = openHistory(config, { log, isConcurrent: true });
  const authenticator = createAuthenticator(await readSensors(options));
  const certificate = await readCertificate(options);
  for (const warning of [...config.warnings, ...managementTokenWarnings(config.management)])
    log.warn(warning);
  const ledger = new Ledger();
  const metrics = new MetricRegistry();

  const enrichment = await startEnrichment(config, ledger, log);
  options.signal?.throwIfAborted();
  const outputs = await startOutputsUnlessEnded(options, declareAttemptMetrics(metrics));
  const state = await openDashboardState(config, { hasOutbox: outputs.ledger !== undefined, log });
  const readiness = new Readiness(outputs);
  const ingest = new Listener({
    name: "ingest",
    address: server.listenAddress,
    certificate: server.tls && certificate,
    trustedProxies: server.trustedProxies,
  });
  const management = startManagement({
    ...{ config, version, log, ledger, metrics, authenticator, outputs, certificate },
    ...enrichment,
    history,
    stateFile: state.file,
    problem: readiness.problem,
    ingestProblem: readiness.ingestProblem,
    ingestPort: () => ingest.port,
    ingestCertificate: () => ingest.certificate?.cert,
  });
  const refusals = createRefusalLog(log.component("ingest"));
  const { handle } = createIngestApp({
    limits: config.limits,
    authenticator,
    enrich: enrichment.enricher.enrich,
    keep: outputs.keep,
    observe: (batch, ignoredEvents) => management?.dashboard.observe(batch, ignoredEvents),
    ledger,
    observeDuration: declareIngestMetrics(metrics, ledger),
    onRefused(refused) {
      refusals.note(refused);
      management?.dashboard.noteRefusal(refused);
    },
  });
  declareEnrichmentMetrics(metrics, enrichment);
  if (outputs.ledger) declareOutputMetrics(metrics, outputs.ledger);
  outputs.declareMetrics(metrics);
  declareHealthMetrics(metrics, readiness);
  declareProcessMetrics(metrics, version);
  ingest.listen(handle);
  enrichment.updates.start();
  state.announce();
  log.info(`ingest server listening (${server.tls ? "TLS" : "no TLS"})`, { addr: ingest.addressText });

  const listeners = management ? [ingest, management.server] : [ingest];
  const reloader = new Reloader(options, { authenticator, listeners, ...enrichment });
  return {
    ingestPort: ingest.port,
    managementPort: management?.server.port,
    signInLink: () => management?.server.signInLink(),
    reload: () => reloader.reload(),
    async stop() {
      readiness.startShutdown();
      await ingest.stop(ingestStopMs);
      await management?.dashboard.stop();
      await outputs.stop(outputStopMs);
      refusals.stop();
      await enrichment.close();
      // Last, so that the health endpoints answer during the shutdown.
      await management?.server.stop();
    },
  };
}

/** @throws the reason of `signal` if it ended the start meanwhile; the outputs are stopped then */
async function startOutputsUnlessEnded(
  { config, log, onFatal, signal }: LoomOptions,
  onAttempt: OutputsOptions["onAttempt"],
): Promise<Outputs> {
  const outputs = await startOutputs(config.output, { log, onFatal, onAttempt });
  if (!signal?.aborted) return outputs;
  await outputs.stop(outputStopMs);
  throw signal.reason;
}
