import { Counter, Gauge, Histogram, type Registry } from "prom-client";

const outputStates = ["idle", "delivering", "retrying", "holding"] as const;

/** "retrying" and "holding" last from the first failure until something gets through. */
export type OutputState = (typeof outputStates)[number];

/**
 * What is known of one output; times are milliseconds since the epoch. Its side of the ledger, at every moment:
 * kept = delivered + dead + dropped + damaged + waiting. With stdout alone nothing is kept before it is delivered, and
 * what waits is being written and not kept yet.
 */
export interface OutputReport {
  readonly output: string;
  /** Kept for this output: what waited at the start, and everything since. */
  readonly keptEvents: number;
  readonly deliveredEvents: number;
  /** Refused by the output for good. */
  readonly deadEvents: number;
  /** Removed undelivered because the outbox was full and `on_full` is "drop_oldest". */
  readonly droppedEvents: number;
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  /** When the oldest waiting event was received. */
  readonly oldestReceivedAt: number | undefined;
  /** When the batch that is being collected leaves at the latest; undefined: none is. */
  readonly leavesAt: number | undefined;
  readonly retries: number;
  /** In the file now. */
  readonly deadLetters: number;
  readonly state: OutputState;
  /** Since when it is in this state. */
  readonly since: number;
  /** Why it retries or holds: text that may come from the output, bounded, without credentials. */
  readonly reason: string | undefined;
  /** In a row. */
  readonly failures: number;
  /** undefined: an attempt is on its way, or none is needed. */
  readonly nextTryAt: number | undefined;
  readonly lastError: { readonly class: string; readonly reason: string; readonly at: number } | undefined;
  readonly lastDeliveredAt: number | undefined;
}

/** What the outbox itself tells. */
export interface OutboxReport {
  readonly sizeBytes: number;
  readonly maxBytes: number;
  readonly segments: number;
  readonly setAsideEvents: number;
  readonly syncs: number;
  readonly failedSyncs: number;
}

/** One attempt to send a batch. */
export interface AttemptReport {
  readonly events: number;
  readonly durationMs: number;
}

/** Metrics of outputs behind the outbox. @returns what records an attempt in the histograms. */
export function registerOutputMetrics(
  registry: Registry,
  reports: () => readonly OutputReport[],
  outbox: () => OutboxReport,
): (output: string, attempt: AttemptReport) => void {
  const registers = [registry];

  /** From nothing at each scrape, so that adding is setting. */
  function fill(metric: Counter<"output"> | Gauge<"output">, value: (report: OutputReport) => number): void {
    metric.reset();
    for (const report of reports()) metric.inc({ output: report.output }, value(report));
  }

  function gauge(name: string, help: string, value: (report: OutputReport) => number): void {
    new Gauge({
      name,
      help,
      labelNames: ["output"],
      registers,
      collect() {
        fill(this, value);
      },
    });
  }

  function counter(name: string, help: string, value: (report: OutputReport) => number): void {
    new Counter({
      name,
      help,
      labelNames: ["output"],
      registers,
      collect() {
        fill(this, value);
      },
    });
  }

  function outboxValue(name: string, help: string, value: (report: OutboxReport) => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value(outbox()));
      },
    });
  }

  counter(
    "loom_output_kept_events_total",
    "Events kept for this output: delivered + dead + dropped + waiting, and what was damaged on disk.",
    (report) => report.keptEvents,
  );
  counter("loom_output_delivered_events_total", "Events the output has.", (report) => report.deliveredEvents);
  counter(
    "loom_output_dead_events_total",
    "Events the output refused for good.",
    (report) => report.deadEvents,
  );
  counter(
    "loom_output_dropped_events_total",
    "Events dropped undelivered by a full outbox.",
    (report) => report.droppedEvents,
  );
  counter("loom_output_retries_total", "Attempts after a failed one.", (report) => report.retries);
  gauge("loom_output_waiting_events", "Events not delivered yet.", (report) => report.waitingEvents);
  gauge(
    "loom_output_waiting_bytes",
    "Bytes of the events not delivered yet.",
    (report) => report.waitingBytes,
  );
  gauge(
    "loom_output_waiting_age_seconds",
    "Age of the oldest event not delivered yet; 0 when none waits.",
    ({ oldestReceivedAt }) =>
      oldestReceivedAt === undefined ? 0 : Math.max(0, (Date.now() - oldestReceivedAt) / 1000),
  );
  gauge("loom_output_dead_letters", "Dead letters in the file now.", (report) => report.deadLetters);
  new Gauge({
    name: "loom_output_state",
    help: "1 for the state the output is in.",
    labelNames: ["output", "state"],
    registers,
    collect() {
      this.reset();
      for (const { output, state } of reports())
        for (const known of outputStates) this.set({ output, state: known }, known === state ? 1 : 0);
    },
  });
  new Gauge({
    name: "loom_output_last_error_timestamp_seconds",
    help: "When the last attempt failed, by the class of the error.",
    labelNames: ["output", "class"],
    registers,
    collect() {
      this.reset();
      for (const { output, lastError } of reports())
        if (lastError) this.set({ output, class: lastError.class }, lastError.at / 1000);
    },
  });
  outboxValue("loom_outbox_bytes", "Bytes of the outbox's segments.", (report) => report.sizeBytes);
  outboxValue("loom_outbox_segments", "Files of the outbox.", (report) => report.segments);
  outboxValue(
    "loom_outbox_damaged_events",
    "Events since the start that were kept and can't be read any more.",
    (report) => report.setAsideEvents,
  );
  outboxValue("loom_outbox_syncs", "Syncs to disk since the start.", (report) => report.syncs);
  outboxValue("loom_outbox_failed_syncs", "Of these, the failed ones.", (report) => report.failedSyncs);

  const duration = new Histogram({
    name: "loom_output_attempt_duration_seconds",
    help: "One attempt to send a batch.",
    labelNames: ["output"],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const size = new Histogram({
    name: "loom_output_attempt_events",
    help: "Events of one attempt.",
    labelNames: ["output"],
    buckets: [1, 10, 100, 500, 1000, 5000, 10_000, 50_000],
    registers,
  });
  return (output, { events, durationMs }) => {
    duration.observe({ output }, durationMs / 1000);
    size.observe({ output }, events);
  };
}
