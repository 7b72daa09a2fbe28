import type { Config, SensorCredential, TlsFiles } from "./config/config.ts";
import { managementTokenWarnings } from "./config/management-tokens.ts";
import { loadSensors } from "./config/sensors.ts";
import { openDatabases } from "./enrich/databases.ts";
import { createEnricher } from "./enrich/enricher.ts";
import { declareEnrichmentMetrics } from "./enrich/enrichment-metrics.ts";
import { createReverseDns } from "./enrich/reverse-dns.ts";
import { type Listener, listen } from "./http/listener.ts";
import { loadTlsCertificate, type TlsCertificate } from "./http/tls-certificate.ts";
import { createAuthenticator } from "./ingest/authentication.ts";
import { createIngestApp } from "./ingest/ingest-app.ts";
import { declareIngestMetrics } from "./ingest/ingest-metrics.ts";
import { createDashboard } from "./management/dashboard.ts";
import { declareHealthMetrics } from "./management/health-metrics.ts";
import { startManagementServer } from "./management/management-server.ts";
import { declareAttemptMetrics, declareOutputMetrics } from "./outputs/output-metrics.ts";
import { startOutputs } from "./outputs/outputs.ts";
import { Ledger } from "./telemetry/ledger.ts";
import type { Log } from "./telemetry/log.ts";
import { MetricRegistry } from "./telemetry/metric-registry.ts";
import { declareProcessMetrics } from "./telemetry/process-metrics.ts";
import { createRefusalLog } from "./telemetry/refusal-log.ts";
import { version } from "./version.ts";

export interface LoomOptions {
  readonly config: Config;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Called when Loom can't go on: stdout is gone. */
  readonly onFatal: (error: Error) => void;
}

export interface Loom {
  readonly ingestPort: number;
  readonly managementPort: number | undefined;
  /** Lets in once; undefined: LOOM_ADMIN_TOKEN does, or there is no management port. */
  signInLink(): string | undefined;
  /** Reads tokens, certificate and databases again; what is wrong is logged and the old one stays. */
  reload(): Promise<void>;
  /** Answers what is in flight, writes it out, and closes everything; less than 10 s. */
  stop(): Promise<void>;
}

/** Of the 10 s that a stop may take: for the answers in flight, and for what is on its way to an output. */
const ingestStopMs = 6_000;
const outputStopMs = 1_500;
/** Twice what a sensor waits for its answer; a body that comes faster than 16 KB/s may take longer. */
const bodyTimeoutSeconds = 30;

/** Starts the stages, what receives first, each handed the next. @throws Error on whatever can't work. */
export async function startLoom({ config, environment, log, onFatal }: LoomOptions): Promise<Loom> {
  const { server, enrichment } = config;
  const authenticator = createAuthenticator(readSensors());
  const tlsFiles = server.tls ?? server.managementTls;
  const certificate = tlsFiles && readCertificate(tlsFiles);
  for (const warning of managementTokenWarnings(config.management)) log.warn(warning);
  const ledger = new Ledger();
  let isStopping = false;

  const databases = await openDatabases({
    ...enrichment,
    log,
    onSwapped: () => enricher.forgetAddresses(),
  });
  const reverseDns = enrichment.dns.isEnabled ? createReverseDns({ ...enrichment.dns, log }) : undefined;
  const enricher = createEnricher({ databases, reverseDns });

  const refusals = createRefusalLog(log);
  const stopping = () => (isStopping ? "shutting down" : undefined);
  const metrics = new MetricRegistry();
  const observeDuration = declareIngestMetrics(metrics, ledger);
  declareEnrichmentMetrics(metrics, {
    counts: enricher.counts,
    dns: reverseDns?.counts,
    databases: databases.describe,
  });
  const outputs = await startOutputs(config.output, {
    log,
    onStdoutClosed: onFatal,
    onAttempt: declareAttemptMetrics(metrics),
  });
  if (outputs.ledger) declareOutputMetrics(metrics, outputs.ledger);
  const problem = () => stopping() ?? outputs.problem();
  declareHealthMetrics(metrics, { problem });
  declareProcessMetrics(metrics, version);

  let ingest: Listener | undefined;
  let ingestCertificate = server.tls && certificate;
  const managementAddress = server.managementListenAddress;
  const ingestProblem = () => stopping() ?? outputs.ingestProblem();
  const dashboard =
    managementAddress &&
    createDashboard({
      config,
      version,
      log,
      ledger,
      authenticator,
      databases,
      enricher,
      reverseDns,
      outputs,
      problem,
      ingestProblem,
      ingestPort: () => ingest?.port ?? server.listenAddress.port,
      ingestCertificate: () => ingestCertificate?.cert,
    });
  const ingestApp = createIngestApp({
    limits: config.limits,
    authenticator,
    enrich: enricher.enrich,
    keep: outputs.keep,
    watch: (batch) => dashboard?.watch(batch),
    ledger,
    observeDuration,
    logRefusal({ code: reason, detail }, sensorId, request) {
      const client = ingest?.clientOf(request);
      refusals.note({ reason, sensorId }, { client, detail });
      const claimedId = request.headers.get("x-spip-id");
      dashboard?.noteRefusal({ reason, sensorId, claimedId, client, detail });
    },
    connection: {
      readingBody: (request) => ingest?.limitTime(request, bodyTimeoutSeconds),
      bodyRead: (request) => ingest?.limitTime(request, undefined),
    },
  });
  const management =
    managementAddress &&
    startManagementServer({
      address: managementAddress,
      certificate: server.managementTls && certificate,
      ...config.management,
      problem,
      ingestProblem,
      metrics: config.observability.isMetricsEnabled ? metrics : undefined,
      routes: (sessions) => dashboard?.routes(sessions) ?? [],
      version,
      log,
    });
  ingest = listen({
    name: "ingest",
    address: server.listenAddress,
    certificate: ingestCertificate,
    handle: ingestApp.fetch,
  });
  log.info(`ingest server listening (${server.tls ? "TLS" : "no TLS"})`, { addr: ingest.addressText });

  function readSensors(): readonly SensorCredential[] {
    const { sensors, warnings } = loadSensors(config.auth.tokenFile, environment);
    for (const warning of warnings) log.warn(warning);
    return sensors;
  }

  function readCertificate({ certFile, keyFile }: TlsFiles): TlsCertificate {
    const certificate = loadTlsCertificate(certFile, keyFile);
    if (certificate.expiresAt.getTime() < Date.now())
      log.warn("the certificate has expired", { expired: certificate.expiresAt.toISOString() });
    return certificate;
  }

  async function reloadPart(part: string, reload: () => void | Promise<void>): Promise<void> {
    try {
      await reload();
      log.info("reloaded", { part });
    } catch (error) {
      log.error("cannot reload; the old one stays", { part, error: (error as Error).message });
    }
  }

  const reloadAll = async () => {
    await reloadPart("tokens", () => authenticator.replace(readSensors()));
    if (tlsFiles) await reloadPart("certificate", () => replaceCertificate(readCertificate(tlsFiles)));
    await databases.reload();
  };

  function replaceCertificate(next: TlsCertificate): void {
    if (server.tls) {
      ingestCertificate = next;
      ingest?.useCertificate(next);
    }
    management?.useCertificate(next);
  }

  let reloading = Promise.resolve();
  return {
    ingestPort: ingest.port,
    managementPort: management?.port,
    signInLink: () => management?.signInLink(),
    reload() {
      // One after the other: two signals in a row must not replace the certificate at the same time.
      reloading = reloading.then(reloadAll);
      return reloading;
    },
    async stop() {
      isStopping = true;
      await ingest.stop(ingestStopMs);
      await dashboard?.stop();
      await outputs.stop(outputStopMs);
      refusals.stop();
      reverseDns?.close();
      databases.close();
      await management?.stop();
    },
  };
}
