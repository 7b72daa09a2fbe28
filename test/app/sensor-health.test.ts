import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { OverviewAnswer, SensorAnswer, SensorsAnswer } from "../../server/management/api/answers.ts";
import { navigationMarks } from "../../ui/models/navigation-marks.ts";
import { allIsWell, findingsOf } from "../../ui/models/verdict.ts";
import {
  maxTestMs,
  plainConfig,
  type RunningLoom,
  sensorId,
  startExecutable,
} from "../support/executable.ts";
import { readMetrics } from "../support/metrics.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";
import { adminToken } from "../support/view.ts";

setDefaultTimeout(maxTestMs);

const perSecond = 20;
const config = `${plainConfig}\n[limits]\nper_sensor_rps = ${perSecond}\nmax_body_size_bytes = 50000\n`;
const steady = { id: "vps-steady", token: "steady-token" };

/** Loom with two sensors, and a function that reads an answer of its API. */
async function startSignedIn() {
  const loom = await startExecutable({
    config,
    environment: {
      LOOM_ADMIN_TOKEN: adminToken,
      [`LOOM_SENSOR_${sensorId}`]: "fixture-token",
      [`LOOM_SENSOR_${steady.id}`]: steady.token,
    },
  });
  const session = await fetch(`${loom.managementUrl}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: adminToken }),
  });
  const headers = { cookie: session.headers.get("set-cookie")?.split(";")[0] ?? "" };
  const read = async <Answer>(resource: string) =>
    (await (await fetch(`${loom.managementUrl}/api/v1/${resource}`, { headers })).json()) as Answer;
  return { loom, read };
}

type Read = Awaited<ReturnType<typeof startSignedIn>>["read"];

async function sensorIn(read: Read, id: string): Promise<SensorAnswer> {
  const sensor = (await read<SensorsAnswer>("sensors")).sensors.find((one) => one.id === id);
  if (!sensor) throw new Error(`there is no sensor ${id}`);
  return sensor;
}

const event = (n: number) =>
  JSON.stringify({ n: 1_000_000 + n, source: { ip: "192.0.2.1" }, text: "x".repeat(n % 40) });
const batchOf = (events: number) => `[${Array.from({ length: events }, (_, n) => event(n)).join(",")}]`;

/** Sends batches of different sizes as fast as Loom answers, until 40 % of the events are refused. @returns the events */
async function sendOverTheRate(loom: RunningLoom) {
  const events = { kept: 0, refused: 0 };
  for (let n = 0; events.refused === 0 || events.refused < 0.4 * (events.kept + events.refused); n++) {
    const count = 5 + (n % 4) * 5;
    events[await outcomeOf(loom, count)] += count;
  }
  return events;
}

async function outcomeOf(loom: RunningLoom, eventCount: number): Promise<"kept" | "refused"> {
  return (await send(loom.ingestUrl, batchOf(eventCount))) === 204 ? "kept" : "refused";
}

describe("a sensor over its rate", () => {
  test("loses events by its state, its loss, the overview and the metrics, also after a batch that is kept", async () => {
    const { loom, read } = await startSignedIn();
    await using _ = loom;
    expect(await send(loom.ingestUrl, batchOf(10), { token: steady.token })).toBe(204);
    const sent = await sendOverTheRate(loom);
    await until("a batch is kept again", async () => {
      const outcome = await outcomeOf(loom, 20);
      sent[outcome] += 20;
      return outcome === "kept";
    });
    const share = sent.refused / (sent.kept + sent.refused);
    const sensor = await sensorIn(read, sensorId);
    expect(sensor.state).toBe("losing");
    expect(sensor.loss?.words).toMatch(/^≈ \d+ % lost: over 20 requests\/s$/);
    expect(sensor.loss?.keptEvents).toBe(sent.kept);
    expect(Math.abs((sensor.loss?.share ?? 0) - share)).toBeLessThan(0.03);
    expect((await sensorIn(read, steady.id)).state).toBe("reporting");

    const overview = await read<OverviewAnswer>("overview");
    expect(overview.sensors).toMatchObject({ losing: 1, reporting: 1 });
    expect(findingsOf(overview)[0]).toEqual({
      mood: "bad",
      text: `${sensorId} is losing events: ${sensor.loss?.words}`,
      href: `/sensors/${sensorId}`,
    });
    expect(navigationMarks(overview).sensors).toMatchObject({ count: 1, mood: "bad" });

    const metrics = await readMetrics(loom.managementUrl);
    const refused = { sensor_id: sensorId, reason: "rate_limit_exceeded", estimated: "true" };
    const estimated = metrics.sum("loom_ingest_refused_events_total", refused);
    expect(Math.abs(estimated / sent.refused - 1)).toBeLessThan(0.1);
    expect(metrics.sum("loom_ingest_refused_events_total", { estimated: "false" })).toBe(0);
  });

  test("whose bodies are all too large is refused, and losing events once one is kept", async () => {
    const { loom, read } = await startSignedIn();
    await using _ = loom;
    for (let i = 0; i < 3; i++) expect(await send(loom.ingestUrl, batchOf(1000))).toBe(413);
    expect(await sensorIn(read, sensorId)).toMatchObject({ state: "refused", loss: { share: 1 } });
    expect(await send(loom.ingestUrl, batchOf(100))).toBe(204);
    const isLosing = async () => (await sensorIn(read, sensorId)).state === "losing";
    await until("the sensor is losing events", isLosing);
    // Before a batch was kept, nothing was known of the size of the events.
    expect((await sensorIn(read, sensorId)).loss?.words).toMatch(/^≈ \d\d % lost: its bodies are too large$/);
  });
});

describe("requests of strangers", () => {
  const headers = { "content-type": "application/json" };
  const strangers: readonly [string, RequestInit][] = [
    ["", { method: "GET" }],
    ["/../../etc/passwd", { method: "GET" }],
    ["", { method: "POST", body: "[{}]", headers }],
    ["", { method: "POST", body: "[{}]", headers: { ...headers, authorization: "Bearer guessed" } }],
    ["", { method: "POST", body: batchOf(50), headers: { ...headers, "x-spip-id": "admin" } }],
    ["/boaform/admin", { method: "POST", body: "username=admin", headers: { "content-type": "text/plain" } }],
  ];

  test("are counted, and the verdict says that there are no problems", async () => {
    const { loom, read } = await startSignedIn();
    await using _ = loom;
    for (const token of ["fixture-token", steady.token])
      expect(await send(loom.ingestUrl, batchOf(10), { token })).toBe(204);
    for (let i = 0; i < 50; i++)
      for (const [path, request] of strangers)
        expect((await fetch(loom.ingestUrl + path, request)).status).toBeGreaterThanOrEqual(400);
    const overview = await read<OverviewAnswer>("overview");
    expect(overview.refusals.strangers).toMatchObject({ requests: 300, events: 0 });
    expect(overview.refusals.requests).toBe(300);
    expect(findingsOf(overview)).toEqual([]);
    expect(allIsWell(overview)).toStartWith("No problems: 2 sensors are reporting");
    expect(navigationMarks(overview)).toEqual({});
  });

  test("are problems if they have the id of a sensor or its token", async () => {
    const { loom, read } = await startSignedIn();
    await using _ = loom;
    for (const token of ["fixture-token", steady.token])
      expect(await send(loom.ingestUrl, batchOf(10), { token })).toBe(204);
    const claim = { token: "guessed", headers: { "x-spip-id": sensorId } };
    expect(await send(loom.ingestUrl, batchOf(20), claim)).toBe(401);
    const wrongId = { token: steady.token, headers: { "x-spip-id": "vps-steddy" } };
    expect(await send(loom.ingestUrl, batchOf(10), wrongId)).toBe(401);
    const overview = await read<OverviewAnswer>("overview");
    expect(overview.refusals).toMatchObject({
      own: { requests: 1, events: 10 },
      claimed: { requests: 1 },
      strangers: { requests: 0 },
      sensorsLastHour: 2,
    });
    expect(findingsOf(overview).map(({ href }) => href)).toContain("/refusals");
    expect(await sensorIn(read, steady.id)).not.toMatchObject({ state: "reporting" });
  });
});
