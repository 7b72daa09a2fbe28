import { describe, expect, test } from "bun:test";
import { createManagementApp, type ManagementOptions } from "../../server/management/management-app.ts";
import { add, Ledger } from "../../server/telemetry/ledger.ts";
import { createMetrics } from "../../server/telemetry/metrics.ts";

const ledger = new Ledger();
const sensor = ledger.sensor("vps-1");
add(sensor.requestsByStatus, 204, 3);
add(sensor.requestsByStatus, 400);
add(sensor.refusedBatches, "invalid_request");
add(sensor.refusedEvents, "unavailable", 12);
sensor.keptEvents = 150;
sensor.bodyBytes = 165_000;
add(ledger.sensor("unknown").requestsByStatus, 401, 7);

const metrics = createMetrics({
  ledger,
  version: "1.2.3",
  lookups: () => ({ geoip: { hit: 5, miss: 1 } }),
  addressCache: () => ({ hit: 8, miss: 2 }),
  dns: () => ({ questions: { found: 4, timedOut: 2 }, unasked: { overRate: 3 } }),
  databases: () => [{ role: "geoip", type: "GeoLite2-City", buildTime: new Date("2026-11-01T00:00:00Z") }],
  isReady: () => true,
  outputs: undefined,
});

async function get(path: string, options: Partial<ManagementOptions> = {}, method = "GET") {
  const app = createManagementApp({
    problem: () => undefined,
    ingestProblem: () => undefined,
    metrics,
    ...options,
  });
  const response = await app.handle(new Request(`http://loom.example${path}`, { method }));
  return { status: response.status, text: await response.text(), type: response.headers.get("content-type") };
}

describe("health", () => {
  for (const path of ["/health", "/live", "/ready", "/ready/ingest"])
    test(`${path} is ok`, async () => {
      expect(await get(path)).toEqual({ status: 200, text: "ok", type: "text/plain; charset=utf-8" });
    });

  for (const path of ["/health", "/live"])
    test(`${path} is ok whatever the outputs do`, async () => {
      const broken = { problem: () => "stdout stalled", ingestProblem: () => "stdout stalled" };
      expect(await get(path, broken)).toMatchObject({ status: 200, text: "ok" });
    });

  test("/ready tells why not", async () => {
    expect(await get("/ready", { problem: () => "stdout stalled" })).toMatchObject({
      status: 503,
      text: "stdout stalled",
    });
  });

  test("/ready/ingest is green while only an output fails", async () => {
    expect(await get("/ready/ingest", { problem: () => "clickhouse away" })).toMatchObject({ status: 200 });
  });
});

describe("metrics", () => {
  test("have the names that dashboards use, and everything else", async () => {
    const { status, text, type } = await get("/metrics");
    expect(status).toBe(200);
    expect(type).toStartWith("text/plain; version=0.0.4");
    for (const line of [
      'loom_ingest_requests_total{sensor_id="vps-1",status="204"} 3',
      'loom_ingest_requests_total{sensor_id="vps-1",status="400"} 1',
      'loom_ingest_requests_total{sensor_id="unknown",status="401"} 7',
      'loom_ingest_events_total{sensor_id="vps-1"} 150',
      'loom_ingest_bytes_total{sensor_id="vps-1"} 165000',
      'loom_ingest_refused_requests_total{sensor_id="vps-1",reason="invalid_request"} 1',
      'loom_ingest_refused_events_total{sensor_id="vps-1",reason="unavailable"} 12',
      'loom_enrichment_lookups_total{database="geoip",result="hit"} 5',
      'loom_enrichment_cache_total{result="hit"} 8',
      'loom_dns_questions_total{result="found"} 4',
      'loom_dns_questions_total{result="timed_out"} 2',
      'loom_dns_unasked_total{result="over_rate"} 3',
      'loom_database_build_timestamp_seconds{database="geoip",type="GeoLite2-City"} 1793491200',
      "loom_ready 1",
      `loom_build_info{version="1.2.3",bun_version="${Bun.version}"} 1`,
    ])
      expect(text.split("\n")).toContain(line);
    expect(text).toMatch(/^loom_ingest_request_duration_seconds_bucket\{le="\+Inf"\} 0$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  });

  test("do not count twice when they are read twice", async () => {
    await get("/metrics");
    expect((await get("/metrics")).text).toContain('loom_ingest_events_total{sensor_id="vps-1"} 150');
  });

  test("are not there when they are switched off", async () => {
    expect(await get("/metrics", { metrics: undefined })).toMatchObject({ status: 404 });
  });
});

describe("everything else", () => {
  for (const path of ["/", "/healthz", "/health/", "/api/v1/ingest", "/..%2fmetrics"])
    test(`${path} is not found`, async () => {
      expect((await get(path)).status).toBe(404);
    });

  test("nothing can be posted", async () => {
    expect((await get("/health", {}, "POST")).status).toBe(404);
  });
});
