import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What `/metrics` says about a metric, apart from its values. */
export interface MetricDescription {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
}

export type LabelValues<Label extends string> = Readonly<Record<Label, string | number>>;

/** One value of a metric with the labels that it belongs to. */
export type Sample<Label extends string> = readonly [labels: LabelValues<Label>, value: number];

/** A metric whose values another part of Loom counts, and which is read each time Prometheus scrapes. */
export interface ReadMetric<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
  /** @returns the value of a metric without labels, or one sample per combination of label values */
  readonly read: () => number | Iterable<Sample<Label>>;
}

export interface HistogramMetric<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

/**
 * The metrics of this process. Each part of Loom declares its own ones, in one file: to add a metric is to declare it
 * there. No label may hold a token or an address, and the number of values of a label must be bounded.
 */
export class MetricRegistry {
  readonly #registry = new Registry();
  readonly #descriptions: MetricDescription[] = [];

  /** Every metric declared so far, in the order of declaration. */
  get descriptions(): readonly MetricDescription[] {
    return this.#descriptions;
  }

  /** Declares a total since the start of the process. By convention its name ends in `_total`. */
  counter<Label extends string = never>(metric: ReadMetric<Label>): void {
    const { read } = metric;
    new Counter<Label>({
      ...this.#describe("counter", metric),
      collect() {
        this.reset();
        const values = read();
        if (typeof values === "number") this.inc(values);
        else for (const [labels, value] of values) this.inc(labels, value);
      },
    });
  }

  /** Declares a value that can go up and down. */
  gauge<Label extends string = never>(metric: ReadMetric<Label>): void {
    const { read } = metric;
    new Gauge<Label>({
      ...this.#describe("gauge", metric),
      collect() {
        this.reset();
        const values = read();
        if (typeof values === "number") this.set(values);
        else for (const [labels, value] of values) this.set(labels, value);
      },
    });
  }

  /** Declares a histogram. @returns a function that records one observation */
  histogram<Label extends string = never>(
    metric: HistogramMetric<Label>,
  ): (labels: LabelValues<Label>, value: number) => void {
    const histogram = new Histogram<Label>({
      ...this.#describe("histogram", metric),
      buckets: [...metric.buckets],
    });
    return (labels, value) => histogram.observe(labels, value);
  }

  /** Adds metrics of prom-client that are collected elsewhere; they are not among the descriptions. */
  adopt(source: Registry, names: readonly string[]): void {
    for (const name of names) {
      const metric = source.getSingleMetric(name);
      if (metric) this.#registry.registerMetric(metric);
    }
  }

  /** Reads every metric. @returns Prometheus text format 0.0.4 */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The content type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  #describe<Label extends string>(
    type: MetricDescription["type"],
    { name, help, labels = [] }: { name: string; help: string; labels?: readonly Label[] },
  ) {
    this.#descriptions.push({ name, type, help, labels });
    return { name, help, labelNames: labels, registers: [this.#registry] };
  }
}
