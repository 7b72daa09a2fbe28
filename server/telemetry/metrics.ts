import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { registerOutputMetrics } from "../outputs/output-metrics.ts";
import type { AttemptReport, OutboxReport, OutputReport } from "../outputs/output-report.ts";
import type { Ledger, SensorLedger } from "./ledger.ts";

/** What `/metrics` shows beside the ledger; each is asked when Prometheus scrapes. */
export interface MetricsSources {
  readonly ledger: Ledger;
  readonly version: string;
  /** By database and result: "geoip" → "hit" → 12. */
  readonly lookups: () => Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly addressCache: () => Readonly<Record<"hit" | "miss", number>>;
  /** Reverse DNS: questions by how they ended, addresses not asked about by reason. undefined: it is off. */
  readonly dns: () =>
    | {
        readonly questions: Readonly<Record<string, number>>;
        readonly unasked: Readonly<Record<string, number>>;
      }
    | undefined;
  readonly databases: () => readonly { role: string; type: string; buildTime: Date }[];
  readonly isReady: () => boolean;
  /** undefined: nothing is behind an outbox. */
  readonly outputs: (() => { reports(): OutputReport[]; outbox(): OutboxReport } | undefined) | undefined;
}

export interface Metrics {
  observeIngestDuration(seconds: number): void;
  observeAttempt(output: string, attempt: AttemptReport): void;
  /** Prometheus text format 0.0.4. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Of prom-client's own metrics those that mean something under Bun; the nodejs_* ones are zero or nonsense there. */
const processMetrics = [
  "process_cpu_user_seconds_total",
  "process_cpu_system_seconds_total",
  "process_cpu_seconds_total",
  "process_start_time_seconds",
  "process_resident_memory_bytes",
  "process_open_fds",
  "process_max_fds",
];

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];

  /** A counter whose values are read off other numbers at each scrape. */
  function mirrored<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    values: () => Iterable<readonly [Record<Label, string | number>, number]>,
  ): void {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.inc(labels, value);
      },
    });
  }

  function* perSensor<Label extends string>(
    label: Label,
    counts: (sensor: SensorLedger) => ReadonlyMap<string | number, number>,
  ): Generator<readonly [Record<"sensor_id" | Label, string | number>, number]> {
    for (const [sensor_id, sensor] of sources.ledger.sensors)
      for (const [key, value] of counts(sensor))
        yield [{ sensor_id, [label]: key } as Record<"sensor_id" | Label, string | number>, value];
  }

  function* eachSensor(value: (sensor: SensorLedger) => number) {
    for (const [sensor_id, sensor] of sources.ledger.sensors) yield [{ sensor_id }, value(sensor)] as const;
  }

  mirrored(
    "loom_ingest_requests_total",
    "Ingest requests by sensor and HTTP status.",
    ["sensor_id", "status"],
    () => perSensor("status", (sensor) => sensor.requestsByStatus),
  );
  mirrored("loom_ingest_events_total", "Events kept.", ["sensor_id"], () =>
    eachSensor((sensor) => sensor.keptEvents),
  );
  mirrored("loom_ingest_bytes_total", "Bytes of bodies read, refused ones included.", ["sensor_id"], () =>
    eachSensor((sensor) => sensor.bodyBytes),
  );
  mirrored("loom_ingest_refused_requests_total", "Requests refused.", ["sensor_id", "reason"], () =>
    perSensor("reason", (sensor) => sensor.refusedBatches),
  );
  mirrored(
    "loom_ingest_refused_events_total",
    "Events of batches that were refused after they were counted.",
    ["sensor_id", "reason"],
    () => perSensor("reason", (sensor) => sensor.refusedEvents),
  );
  mirrored(
    "loom_enrichment_lookups_total",
    "Events by database and result: hit, miss, skipped (no public address, or no such database), error.",
    ["database", "result"],
    function* () {
      for (const [database, results] of Object.entries(sources.lookups()))
        for (const [result, value] of Object.entries(results)) yield [{ database, result }, value] as const;
    },
  );
  mirrored("loom_enrichment_cache_total", "Addresses asked of the cache of enrichments.", ["result"], () =>
    byResult(sources.addressCache()),
  );
  mirrored("loom_dns_questions_total", "Reverse DNS questions by result.", ["result"], () =>
    byResult(sources.dns()?.questions ?? {}),
  );
  mirrored("loom_dns_unasked_total", "Addresses about which no question was asked.", ["result"], () =>
    byResult(sources.dns()?.unasked ?? {}),
  );
  new Gauge({
    name: "loom_database_build_timestamp_seconds",
    help: "When the database in use was built.",
    labelNames: ["database", "type"],
    registers,
    collect() {
      this.reset();
      for (const { role, type, buildTime } of sources.databases())
        this.set({ database: role, type }, buildTime.getTime() / 1000);
    },
  });
  new Gauge({
    name: "loom_ready",
    help: "1 while /ready answers 200.",
    registers,
    collect() {
      this.set(sources.isReady() ? 1 : 0);
    },
  });
  new Gauge({
    name: "loom_build_info",
    help: "Always 1; the labels tell the build.",
    labelNames: ["version", "bun_version"],
    registers,
  }).set({ version: sources.version, bun_version: Bun.version }, 1);
  const duration = new Histogram({
    name: "loom_ingest_request_duration_seconds",
    help: "From a request's headers to its answer.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
    registers,
  });
  registerProcessMetrics(registry);
  const { outputs } = sources;
  const observeAttempt =
    outputs &&
    registerOutputMetrics(
      registry,
      () => outputs()?.reports() ?? [],
      () => outputs()?.outbox() ?? emptyOutbox,
    );

  return {
    observeAttempt: (output, attempt) => observeAttempt?.(output, attempt),
    observeIngestDuration: (seconds) => duration.observe(seconds),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

const emptyOutbox: OutboxReport = {
  sizeBytes: 0,
  maxBytes: 0,
  segments: 0,
  setAsideEvents: 0,
  syncs: 0,
  failedSyncs: 0,
};

function* byResult(counts: Readonly<Record<string, number>>) {
  for (const [name, value] of Object.entries(counts)) yield [{ result: snakeCase(name) }, value] as const;
}

/** As Prometheus writes label values: "timedOut" is "timed_out". */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function registerProcessMetrics(registry: Registry): void {
  const all = new Registry();
  collectDefaultMetrics({ register: all });
  for (const name of processMetrics) {
    const metric = all.getSingleMetric(name);
    if (metric) registry.registerMetric(metric);
  }
}
