import { declareEnrichmentMetrics } from "../../server/enrich/enrichment-metrics.ts";
import { declareIngestMetrics } from "../../server/ingest/ingest-metrics.ts";
import { declareHealthMetrics } from "../../server/management/health-metrics.ts";
import { declareAttemptMetrics, declareOutputMetrics } from "../../server/outputs/output-metrics.ts";
import { declareStoreMetrics } from "../../server/outputs/store/store-metrics.ts";
import { noReport } from "../../server/store/store-writer.ts";
import { Ledger } from "../../server/telemetry/ledger.ts";
import { MetricRegistry } from "../../server/telemetry/metric-registry.ts";
import { declareProcessMetrics } from "../../server/telemetry/process-metrics.ts";

type EnrichmentSources = Parameters<typeof declareEnrichmentMetrics>[1];
type OutputSources = Parameters<typeof declareOutputMetrics>[1];

export interface AllMetricsOptions {
  readonly ledger?: Ledger;
  readonly enrichment?: Partial<EnrichmentSources>;
  readonly outputs?: Partial<OutputSources>;
}

const noLookups = { hit: 0, miss: 0, skipped: 0, error: 0 };

/** Every metric of Loom, declared in the order in which `startLoom` declares them. */
export function allMetrics({ ledger = new Ledger(), enrichment, outputs }: AllMetricsOptions = {}) {
  const metrics = new MetricRegistry();
  const observeDuration = declareIngestMetrics(metrics, ledger);
  declareEnrichmentMetrics(metrics, {
    enricher: { counts: { lookups: { geoip: noLookups, asn: noLookups }, cacheHits: 0, cacheMisses: 0 } },
    reverseDns: undefined,
    databases: { describe: () => [] },
    updates: { reports: () => [] },
    ...enrichment,
  });
  const observeAttempt = declareAttemptMetrics(metrics);
  declareOutputMetrics(metrics, {
    reports: () => [],
    outbox: () => ({
      sizeBytes: 0,
      maxBytes: 0,
      segments: 0,
      damagedEvents: 0,
      syncs: 0,
      failedSyncs: 0,
    }),
    ...outputs,
  });
  declareStoreMetrics(metrics, () => ({ ...noReport, maxBytes: 0 }));
  declareHealthMetrics(metrics, { problem: () => undefined });
  declareProcessMetrics(metrics, "1.2.3");
  return { metrics, observeDuration, observeAttempt };
}
