import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { maxTestMs, plainConfig, startExecutable } from "../support/executable.ts";
import { openConnection } from "../support/raw-connection.ts";
import { send } from "../support/send.ts";

setDefaultTimeout(maxTestMs);

describe("without any fault", () => {
  for (const path of ["/health", "/live", "/ready", "/ready/ingest"])
    test(`GET ${path} is 200 "ok"`, async () => {
      await using loom = await startExecutable();
      const response = await fetch(loom.managementUrl + path);
      expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: "ok" });
    });
});

describe("without a session", () => {
  test("every other path redirects to the sign-in, including paths that resemble a public one", async () => {
    await using loom = await startExecutable();
    for (const path of ["/", "/tail", "/metrics/", "/ready/outputs", "/..%2f..%2fetc/passwd", "/Health"]) {
      const response = await fetch(loom.managementUrl + path, { redirect: "manual" });
      const next = path === "/" ? "" : `?next=${encodeURIComponent(path)}`;
      expect([response.status, response.headers.get("location")]).toEqual([302, `/sign-in${next}`]);
    }
  });

  test("no other spelling of a public path is public", async () => {
    await using loom = await startExecutable();
    const port = Number(new URL(loom.managementUrl).port);
    for (const path of [
      "//health",
      "/%68ealth",
      "/health;a",
      "/health/",
      "/health%00",
      "/./ready/x",
      "/health%3f",
    ]) {
      using connection = await openConnection(port);
      connection.send(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
      expect({ path, statuses: await connection.statuses(1) }).toEqual({ path, statuses: [302] });
    }
  });

  test("every path of the API is 401", async () => {
    await using loom = await startExecutable();
    for (const path of ["/api/v1/session", "/api/v1/ingest", "/api/v1/tail", "/api/nothing"])
      expect({ path, status: (await fetch(loom.managementUrl + path)).status }).toEqual({
        path,
        status: 401,
      });
  });

  test("every method but GET is 404", async () => {
    await using loom = await startExecutable();
    for (const path of ["/", "/health", "/ready", "/metrics", "/sign-in", "/ingest"])
      expect((await fetch(loom.managementUrl + path, { method: "POST", body: "x" })).status).toBe(404);
  });
});

test("the management paths are not on the ingest port", async () => {
  await using loom = await startExecutable();
  for (const path of ["/health", "/live", "/ready", "/ready/ingest", "/metrics"])
    expect((await fetch(new URL(path, loom.ingestUrl))).status).toBe(404);
});

describe("/metrics", () => {
  test("counts requests by sensor and status, and events by sensor", async () => {
    await using loom = await startExecutable();
    await send(loom.ingestUrl, '[{"a":1},{"b":2},{"c":3}]');
    await send(loom.ingestUrl, "[]");
    await send(loom.ingestUrl, "[1]");
    await send(loom.ingestUrl, '[{"a":1}]', { token: "wrong" });
    const lines = (await metricsOf(loom.managementUrl)).split("\n");
    expect(lines.filter((line) => line.startsWith("loom_ingest_requests_total{"))).toEqual([
      'loom_ingest_requests_total{sensor_id="vps-frankfurt-01",status="204"} 2',
      'loom_ingest_requests_total{sensor_id="vps-frankfurt-01",status="400"} 1',
      'loom_ingest_requests_total{sensor_id="unknown",status="401"} 1',
    ]);
    expect(lines).toContain('loom_ingest_events_total{sensor_id="vps-frankfurt-01"} 3');
  });

  test("is Prometheus text", async () => {
    await using loom = await startExecutable();
    const response = await fetch(`${loom.managementUrl}/metrics`);
    expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    for (const line of (await response.text()).trimEnd().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? (\S+)|)$/);
  });

  test("shows no token, no address and no text from unknown clients", async () => {
    await using loom = await startExecutable();
    await send(loom.ingestUrl, '[{"source":{"ip":"81.2.69.142"}}]');
    await send(loom.ingestUrl, "[]", { token: "guessed-token", headers: { "x-spip-id": "chosen-id" } });
    expect(await metricsOf(loom.managementUrl)).not.toMatch(
      /fixture-token|guessed-token|chosen-id|81\.2\.69|127\.0\.0\.1/,
    );
  });

  test("is 404 if metrics are switched off", async () => {
    const config = `${plainConfig}\n[observability]\nmetrics_enabled = false\n`;
    await using loom = await startExecutable({ config });
    expect((await fetch(`${loom.managementUrl}/metrics`)).status).toBe(404);
  });
});

async function metricsOf(managementUrl: string): Promise<string> {
  return (await fetch(`${managementUrl}/metrics`)).text();
}
