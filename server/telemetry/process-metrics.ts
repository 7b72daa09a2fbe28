import { collectDefaultMetrics, Registry } from "prom-client";
import type { MetricRegistry } from "./metric-registry.ts";

/** Those of prom-client's default metrics that mean something under Bun; its nodejs_* metrics are zero or wrong there. */
const processMetrics = [
  "process_cpu_user_seconds_total",
  "process_cpu_system_seconds_total",
  "process_cpu_seconds_total",
  "process_start_time_seconds",
  "process_resident_memory_bytes",
  "process_open_fds",
  "process_max_fds",
];

/** Declares the metrics of the process and of its build. */
export function declareProcessMetrics(metrics: MetricRegistry, version: string): void {
  metrics.gauge({
    name: "loom_build_info",
    help: "Always 1; the labels name the build.",
    labels: ["version", "bun_version"],
    read: () => [[{ version, bun_version: Bun.version }, 1]],
  });
  const defaults = new Registry();
  collectDefaultMetrics({ register: defaults });
  metrics.adopt(defaults, processMetrics);
}
