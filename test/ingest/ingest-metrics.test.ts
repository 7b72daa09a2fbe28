import { expect, test } from "bun:test";
import { add, addKept, Ledger } from "../../server/telemetry/ledger.ts";
import { allMetrics } from "../support/all-metrics.ts";

test("each count of a sensor in the ledger has its metric, and a request its duration", async () => {
  const ledger = new Ledger();
  const sensor = ledger.sensor("vps-1");
  add(sensor.requestsByStatus, 204, 3);
  add(sensor.requestsByStatus, 503, 2);
  add(sensor.refusedBatches, "unavailable", 2);
  add(sensor.refusedEvents, "unavailable", 12);
  add(sensor.estimatedRefusedEvents, "rate_limit_exceeded", 50);
  addKept(sensor, 150, [
    { tally: ledger.rule("scanners", "drop"), events: 7 },
    { tally: ledger.rule("monitoring", "tag"), events: 5 },
  ]);
  ledger.rule("unused", "tag");
  sensor.bodyBytes = 165_000;
  const { metrics, observeDuration } = allMetrics({ ledger });
  observeDuration(0.25);
  const lines = (await metrics.text()).split("\n");
  for (const line of [
    'loom_ingest_requests_total{sensor_id="vps-1",status="204"} 3',
    'loom_ingest_requests_total{sensor_id="vps-1",status="503"} 2',
    'loom_ingest_events_total{sensor_id="vps-1"} 150',
    'loom_ingest_ignored_events_total{sensor_id="vps-1"} 7',
    'loom_ignore_rule_events_total{rule="scanners",action="drop"} 7',
    'loom_ignore_rule_events_total{rule="monitoring",action="tag"} 5',
    'loom_ignore_rule_events_total{rule="unused",action="tag"} 0',
    'loom_ingest_bytes_total{sensor_id="vps-1"} 165000',
    'loom_ingest_refused_requests_total{sensor_id="vps-1",reason="unavailable"} 2',
    'loom_ingest_refused_events_total{sensor_id="vps-1",reason="unavailable",estimated="false"} 12',
    'loom_ingest_refused_events_total{sensor_id="vps-1",reason="rate_limit_exceeded",estimated="true"} 50',
    "loom_ingest_request_duration_seconds_sum 0.25",
    "loom_ingest_request_duration_seconds_count 1",
  ])
    expect(lines).toContain(line);
});
