import type { MetricRegistry } from "../telemetry/metric-registry.ts";
import { type AttemptReport, type OutboxReport, type OutputReport, outputStates } from "./output-report.ts";

export interface OutputMetricsSources {
  reports(): readonly OutputReport[];
  outbox(): OutboxReport;
}

/**
 * Declares the metrics of attempts to send a batch.
 * @returns a function that records one attempt
 */
export function declareAttemptMetrics(
  metrics: MetricRegistry,
): (output: string, attempt: AttemptReport) => void {
  const observeDuration = metrics.histogram({
    name: "loom_output_attempt_duration_seconds",
    help: "Duration of one attempt to send a batch.",
    labels: ["output"],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  });
  const observeEvents = metrics.histogram({
    name: "loom_output_attempt_events",
    help: "Number of events in one attempt to send a batch.",
    labels: ["output"],
    buckets: [1, 10, 100, 500, 1000, 5000, 10_000, 50_000],
  });
  return (output, { events, durationMs }) => {
    observeDuration({ output }, durationMs / 1000);
    observeEvents({ output }, events);
  };
}

/** Declares the metrics of the outputs behind the outbox, and of the outbox. */
export function declareOutputMetrics(
  metrics: MetricRegistry,
  { reports, outbox }: OutputMetricsSources,
): void {
  declareEventMetrics(metrics, reports);
  declareStateMetrics(metrics, reports);
  declareOutboxMetrics(metrics, outbox);
}

const labels = ["output"] as const;

function declareEventMetrics(metrics: MetricRegistry, reports: Reports): void {
  const perOutput = readPerOutput(reports);
  metrics.counter({
    name: "loom_output_kept_events_total",
    help: "Events kept for this output: the sum of the delivered, dead, dropped, waiting and damaged ones.",
    labels,
    read: perOutput((report) => report.keptEvents),
  });
  metrics.counter({
    name: "loom_output_delivered_events_total",
    help: "Events that the output has accepted.",
    labels,
    read: perOutput((report) => report.deliveredEvents),
  });
  metrics.counter({
    name: "loom_output_dead_events_total",
    help: "Events that the output rejected and that were written to its dead-letter file.",
    labels,
    read: perOutput((report) => report.deadEvents),
  });
  metrics.counter({
    name: "loom_output_dropped_events_total",
    help: "Events that a full outbox removed before they were delivered.",
    labels,
    read: perOutput((report) => report.droppedEvents),
  });
  metrics.counter({
    name: "loom_output_damaged_events_total",
    help: "Events that this output skipped because they could not be read from disk.",
    labels,
    read: perOutput((report) => report.damagedEvents),
  });
  metrics.gauge({
    name: "loom_output_waiting_events",
    help: "Events in the outbox that are not delivered yet.",
    labels,
    read: perOutput((report) => report.waitingEvents),
  });
  metrics.gauge({
    name: "loom_output_waiting_bytes",
    help: "Bytes of the events that are not delivered yet.",
    labels,
    read: perOutput((report) => report.waitingBytes),
  });
  metrics.gauge({
    name: "loom_output_waiting_age_seconds",
    help: "Age of the oldest event that is not delivered yet; 0 if there is none.",
    labels,
    read: perOutput(({ oldestReceivedAt }) =>
      oldestReceivedAt === undefined ? 0 : Math.max(0, (Date.now() - oldestReceivedAt) / 1000),
    ),
  });
}

function declareStateMetrics(metrics: MetricRegistry, reports: Reports): void {
  const perOutput = readPerOutput(reports);
  metrics.counter({
    name: "loom_output_retries_total",
    help: "Attempts to send a batch again after a failed attempt.",
    labels,
    read: perOutput((report) => report.retries),
  });
  metrics.gauge({
    name: "loom_output_dead_letters",
    help: "Records in the output's dead-letter file now.",
    labels,
    read: perOutput((report) => report.deadLetters),
  });
  metrics.gauge({
    name: "loom_output_state",
    help: "1 for the state that the output is in, 0 for the others: idle, delivering, retrying, holding (blocked until the fault is fixed).",
    labels: ["output", "state"],
    *read() {
      for (const { output, state } of reports())
        for (const known of outputStates) yield [{ output, state: known }, known === state ? 1 : 0];
    },
  });
  metrics.gauge({
    name: "loom_output_last_error_timestamp_seconds",
    help: "Unix time of the last failed attempt, by the class of its error.",
    labels: ["output", "class"],
    *read() {
      for (const { output, lastError } of reports())
        if (lastError) yield [{ output, class: lastError.class }, lastError.at / 1000];
    },
  });
}

function declareOutboxMetrics(metrics: MetricRegistry, outbox: () => OutboxReport): void {
  metrics.gauge({
    name: "loom_outbox_bytes",
    help: "Bytes of the outbox's segment files.",
    read: () => outbox().sizeBytes,
  });
  metrics.gauge({
    name: "loom_outbox_limit_bytes",
    help: "Size in bytes at which the outbox is full: max_bytes, or the room on its disk if that is less.",
    read: () => outbox().maxBytes,
  });
  metrics.gauge({
    name: "loom_outbox_segments",
    help: "Number of the outbox's segment files.",
    read: () => outbox().segments,
  });
  metrics.counter({
    name: "loom_outbox_damaged_events_total",
    help: "Events that were kept and could not be read from disk, found at the start or since; each counts once for all outputs.",
    read: () => outbox().damagedEvents,
  });
  metrics.counter({
    name: "loom_outbox_syncs_total",
    help: "Successful syncs of the outbox to disk; one sync serves all batches that wait for it.",
    read: () => outbox().syncs,
  });
  metrics.counter({
    name: "loom_outbox_failed_syncs_total",
    help: "Failed writes or syncs of the outbox to disk.",
    read: () => outbox().failedSyncs,
  });
}

type Reports = OutputMetricsSources["reports"];

function readPerOutput(reports: Reports) {
  return (value: (report: OutputReport) => number) => () =>
    reports().map((report) => [{ output: report.output }, value(report)] as const);
}
