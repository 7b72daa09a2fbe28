import { describe, expect, test } from "bun:test";
import { add, Ledger } from "../../server/telemetry/ledger.ts";
import { allMetrics } from "../support/all-metrics.ts";
import { type ManagementTestOptions, managementTest } from "../support/management.ts";

const ledger = new Ledger();
const sensor = ledger.sensor("vps-1");
add(sensor.requestsByStatus, 204, 3);
add(sensor.requestsByStatus, 400);
add(sensor.refusedBatches, "invalid_request");
add(sensor.refusedEvents, "unavailable", 12);
sensor.keptEvents = 150;
sensor.bodyBytes = 165_000;
add(ledger.sensor("unknown").requestsByStatus, 401, 7);

const { metrics } = allMetrics({
  ledger,
  enrichment: {
    enricher: {
      counts: {
        lookups: {
          geoip: { hit: 5, miss: 1, skipped: 0, error: 0 },
          asn: { hit: 0, miss: 0, skipped: 0, error: 0 },
        },
        cacheHits: 8,
        cacheMisses: 2,
      },
    },
    reverseDns: {
      counts: {
        questions: { found: 4, notFound: 0, failed: 0, timedOut: 2, unreachable: 0 },
        confirmations: { confirmed: 6, refuted: 1, unanswered: 0 },
        unasked: { cached: 0, overRate: 3, resolverAway: 0 },
      },
    },
    databases: {
      describe: () => [
        { role: "geoip", type: "GeoLite2-City", buildTime: new Date("2026-11-02T00:00:00Z") },
        { role: "geoip", type: "GeoLite2-City", buildTime: new Date("2026-11-01T00:00:00Z") },
      ],
    },
  },
});

async function get(path: string, options: ManagementTestOptions = {}, init: RequestInit = {}) {
  const response = await managementTest({ metrics, ...options }).ask(path, init);
  return { status: response.status, text: await response.text(), type: response.headers.get("content-type") };
}

describe("health", () => {
  for (const path of ["/health", "/live", "/ready", "/ready/ingest"])
    test(`${path} is ok`, async () => {
      expect(await get(path)).toEqual({ status: 200, text: "ok", type: "text/plain; charset=utf-8" });
    });

  for (const path of ["/health", "/live"])
    test(`${path} is ok even if outputs fail`, async () => {
      const broken = { problem: () => "stdout stalled", ingestProblem: () => "stdout stalled" };
      expect(await get(path, broken)).toMatchObject({ status: 200, text: "ok" });
    });

  test("/ready has the reason", async () => {
    expect(await get("/ready", { problem: () => "stdout stalled" })).toMatchObject({
      status: 503,
      text: "stdout stalled",
    });
  });

  test("/ready/ingest is ok while only an output fails", async () => {
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
      'loom_ingest_refused_events_total{sensor_id="vps-1",reason="unavailable",estimated="false"} 12',
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

  test("do not change by being read", async () => {
    await get("/metrics");
    expect((await get("/metrics")).text).toContain('loom_ingest_events_total{sensor_id="vps-1"} 150');
  });

  test("are 404 if they are switched off", async () => {
    expect(await get("/metrics", { metrics: undefined })).toMatchObject({ status: 404 });
  });
});

describe("metrics with a token", () => {
  const options = { metricsToken: "a-token-for-prometheus" };
  const withHeader = (authorization: string) => get("/metrics", options, { headers: { authorization } });

  test("are served to a client that has it", async () => {
    for (const header of ["Bearer a-token-for-prometheus", "bearer  a-token-for-prometheus"])
      expect((await withHeader(header)).text).toContain("loom_ready 1");
  });

  for (const header of [
    "",
    "Bearer",
    "Bearer a-token-for-prometheu",
    "Bearer a-token-for-prometheus2",
    "Basic a-token-for-prometheus",
    "a-token-for-prometheus",
  ])
    test(`are not there with "${header}"`, async () => {
      const { status, text } = await withHeader(header);
      expect({ status, text }).toEqual({ status: 401, text: "unauthorized" });
    });

  test("are not served for a session", async () => {
    const management = managementTest({ metrics, ...options });
    const cookie = await management.signIn();
    expect((await management.ask("/metrics", { cookie })).status).toBe(401);
  });

  test("name the authentication scheme", async () => {
    const response = await managementTest({ metrics, ...options }).ask("/metrics");
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
  });

  test("do not protect health checks", async () => {
    expect(await get("/ready", options)).toMatchObject({ status: 200 });
  });
});
