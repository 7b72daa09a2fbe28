import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { type AttemptReport, type OutboxReport, type OutputReport, outputStates } from "./output-report.ts";

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
