import type { StoreReport } from "../../store/store-writer.ts";
import type { MetricRegistry } from "../../telemetry/metric-registry.ts";

export interface StoreMetrics extends StoreReport {
  /** The largest size of all files. */
  readonly maxBytes: number;
}

/** Declares the metrics of the store. */
export function declareStoreMetrics(metrics: MetricRegistry, report: () => StoreMetrics): void {
  metrics.gauge({
    name: "loom_store_events",
    help: "Events in the store now.",
    read: () => report().events,
  });
  metrics.gauge({
    name: "loom_store_bytes",
    help: "Bytes of the store's files.",
    read: () => report().sizeBytes,
  });
  metrics.gauge({
    name: "loom_store_limit_bytes",
    help: "Size in bytes at which the oldest file of the store is removed.",
    read: () => report().maxBytes,
  });
  metrics.gauge({
    name: "loom_store_files",
    help: "Number of the store's files.",
    read: () => report().files,
  });
  metrics.counter({
    name: "loom_store_expired_events_total",
    help: "Events that were removed from the store because it was full or they were too old.",
    read: () => report().expiredEvents,
  });
  metrics.counter({
    name: "loom_store_damaged_events_total",
    help: "Events of the store that were found to be unreadable when a file was opened.",
    read: () => report().damagedEvents,
  });
}
