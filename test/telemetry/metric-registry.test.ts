import { describe, expect, test } from "bun:test";
import { MetricRegistry } from "../../server/telemetry/metric-registry.ts";

const samplesOf = async (metrics: MetricRegistry) =>
  (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("a metric that is read", () => {
  for (const type of ["counter", "gauge"] as const) {
    test(`is a ${type} with its help and its values at each scrape`, async () => {
      const metrics = new MetricRegistry();
      let waiting = 3;
      metrics[type]({ name: "loom_t", help: "A test.", read: () => waiting });
      expect(await metrics.text()).toBe(`# HELP loom_t A test.\n# TYPE loom_t ${type}\nloom_t 3\n`);
      waiting = 7;
      expect(await samplesOf(metrics)).toEqual(["loom_t 7"]);
    });

    test(`is a ${type} with one value per combination of labels, and none that is no longer read`, async () => {
      const metrics = new MetricRegistry();
      let outputs = ["a", "b"];
      metrics[type]({
        name: "loom_t",
        help: "A test.",
        labels: ["output"],
        read: () => outputs.map((output, i) => [{ output }, i + 1] as const),
      });
      expect(await samplesOf(metrics)).toEqual(['loom_t{output="a"} 1', 'loom_t{output="b"} 2']);
      outputs = ["b"];
      expect(await samplesOf(metrics)).toEqual(['loom_t{output="b"} 1']);
    });
  }
});

test("a histogram counts what it observes", async () => {
  const metrics = new MetricRegistry();
  const observe = metrics.histogram({ name: "loom_t", help: "A test.", labels: ["output"], buckets: [1, 5] });
  for (const value of [0.5, 3, 3, 10]) observe({ output: "a" }, value);
  expect(await samplesOf(metrics)).toEqual([
    'loom_t_bucket{le="1",output="a"} 1',
    'loom_t_bucket{le="5",output="a"} 3',
    'loom_t_bucket{le="+Inf",output="a"} 4',
    'loom_t_sum{output="a"} 16.5',
    'loom_t_count{output="a"} 4',
  ]);
});

test("every declared metric is described", () => {
  const metrics = new MetricRegistry();
  metrics.counter({ name: "loom_a_total", help: "A.", labels: ["x"], read: () => [] });
  metrics.histogram({ name: "loom_b", help: "B.", buckets: [1] });
  expect(metrics.descriptions).toEqual([
    { name: "loom_a_total", type: "counter", help: "A.", labels: ["x"] },
    { name: "loom_b", type: "histogram", help: "B.", labels: [] },
  ]);
});

test("a name cannot be declared twice", () => {
  const metrics = new MetricRegistry();
  metrics.gauge({ name: "loom_t", help: "A test.", read: () => 1 });
  expect(() => metrics.counter({ name: "loom_t", help: "Another.", read: () => 1 })).toThrow("loom_t");
});
