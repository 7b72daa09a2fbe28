import { until } from "./until.ts";

export type Labels = Readonly<Record<string, string>>;

/** The values of `/metrics` at one moment. */
export interface MetricValues {
  /** The sum of all series of this name with these labels; 0 if there are none. */
  sum(name: string, labels?: Labels): number;
  /** The values of a label in the series of this name. */
  labelValues(name: string, label: string): readonly string[];
}

/** Scrapes the metrics in the Prometheus text format 0.0.4. */
export async function readMetrics(managementUrl: string): Promise<MetricValues> {
  const text = await (await fetch(`${managementUrl}/metrics`)).text();
  const series = [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, labels = "", value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, of]) => [key, of])),
    value: Number(value),
  }));
  const named = (name: string) => series.filter((one) => one.name === name);
  return {
    sum: (name, labels = {}) =>
      named(name)
        .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
        .reduce((sum, { value }) => sum + value, 0),
    labelValues: (name, label) => [...new Set(named(name).map(({ labels }) => String(labels[label])))],
  };
}

/** Waits until every event is delivered to an output, and Loom has counted them. */
export function untilDrained(
  managementUrl: string,
  output: string,
  maxWaitMs = 50_000,
): Promise<MetricValues> {
  return until(
    `nothing waits for ${output}`,
    async () => {
      const metrics = await readMetrics(managementUrl);
      const isIdle = metrics.sum("loom_output_state", { output, state: "idle" }) === 1;
      return isIdle && metrics.sum("loom_output_waiting_events", { output }) === 0 && metrics;
    },
    maxWaitMs,
  );
}
