import type { MetricRegistry } from "../telemetry/metric-registry.ts";
import type { HealthOptions } from "./health.ts";

/** Declares the metric that says what `/ready` answers. */
export function declareHealthMetrics(
  metrics: MetricRegistry,
  { problem }: Pick<HealthOptions, "problem">,
): void {
  metrics.gauge({
    name: "loom_ready",
    help: "1 while /ready answers 200, else 0.",
    read: () => (problem() === undefined ? 1 : 0),
  });
}
