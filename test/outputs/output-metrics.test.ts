import { expect, test } from "bun:test";
import type { OutputReport } from "../../server/outputs/output-report.ts";
import { allMetrics } from "../support/all-metrics.ts";

const report: OutputReport = {
  output: "clickhouse",
  keptEvents: 100,
  deliveredEvents: 60,
  deadEvents: 3,
  droppedEvents: 2,
  damagedEvents: 1,
  waitingEvents: 34,
  waitingBytes: 40_000,
  oldestReceivedAt: undefined,
  leavesAt: undefined,
  retries: 5,
  deadLetters: 4,
  state: "retrying",
  since: 0,
  reason: "HTTP 503",
  failures: 2,
  nextTryAt: undefined,
  lastError: { class: "http_503", reason: "HTTP 503", at: 1_793_491_200_000 },
  lastDeliveredAt: undefined,
};

test("each number of an output and of the outbox has its metric", async () => {
  const { metrics, observeAttempt } = allMetrics({
    outputs: {
      reports: () => [report],
      outbox: () => ({
        sizeBytes: 50_000,
        maxBytes: 60_000,
        segments: 6,
        damagedEvents: 1,
        syncs: 70,
        failedSyncs: 8,
      }),
    },
  });
  observeAttempt("clickhouse", { events: 20, durationMs: 40 });
  const lines = (await metrics.text()).split("\n");
  for (const line of [
    'loom_output_kept_events_total{output="clickhouse"} 100',
    'loom_output_delivered_events_total{output="clickhouse"} 60',
    'loom_output_dead_events_total{output="clickhouse"} 3',
    'loom_output_dropped_events_total{output="clickhouse"} 2',
    'loom_output_damaged_events_total{output="clickhouse"} 1',
    'loom_output_waiting_events{output="clickhouse"} 34',
    'loom_output_waiting_bytes{output="clickhouse"} 40000',
    'loom_output_waiting_age_seconds{output="clickhouse"} 0',
    'loom_output_retries_total{output="clickhouse"} 5',
    'loom_output_dead_letters{output="clickhouse"} 4',
    'loom_output_state{output="clickhouse",state="retrying"} 1',
    'loom_output_state{output="clickhouse",state="idle"} 0',
    'loom_output_last_error_timestamp_seconds{output="clickhouse",class="http_503"} 1793491200',
    'loom_output_attempt_duration_seconds_sum{output="clickhouse"} 0.04',
    'loom_output_attempt_events_sum{output="clickhouse"} 20',
    "loom_outbox_bytes 50000",
    "loom_outbox_segments 6",
    "loom_outbox_damaged_events_total 1",
    "loom_outbox_syncs_total 70",
    "loom_outbox_failed_syncs_total 8",
    "# TYPE loom_outbox_damaged_events_total counter",
    "# TYPE loom_outbox_syncs_total counter",
    "# TYPE loom_outbox_failed_syncs_total counter",
  ])
    expect(lines).toContain(line);
});
