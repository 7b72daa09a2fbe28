import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { maxTestMs, plainConfig, type RunningLoom, startExecutable } from "../support/executable.ts";
import { type FaultyElasticsearch, startFaultyElasticsearch } from "../support/faulty-outputs.ts";
import type { Fault } from "../support/faulty-server.ts";
import { type MetricValues, readMetrics, untilDrained } from "../support/metrics.ts";
import { createRandom, type Random } from "../support/random.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const output = "elasticsearch";
const sensors = { frankfurt: "frankfurt-token", tokyo: "tokyo-token" };
const environment = Object.fromEntries(
  Object.entries(sensors).map(([sensorId, token]) => [`LOOM_SENSOR_${sensorId}`, token]),
);
const maxBodyBytes = 40_000;
/** The minimum of the configuration. */
const smallestOutboxBytes = 65_536;

const root = mkdtempSync(join(tmpdir(), "loom-ledger-"));
let outboxes = 0;
afterAll(() => rmSync(root, { recursive: true }));

function configFor(server: FaultyElasticsearch, outbox = "", limits = "per_sensor_rps = -1"): string {
  return `${plainConfig}
[limits]
max_body_size_bytes = ${maxBodyBytes}
${limits}
[output]
type = "${output}"
${server.config}
[output.outbox]
dir = "${join(root, String(++outboxes))}"
flush_interval_ms = 20
max_batch_size = 50
retry_backoff_ms = 10
retry_max_backoff_ms = 100
${outbox}
`;
}

const start = (config: string) => startExecutable({ config, environment });

/** kept = delivered + dead + dropped + damaged + waiting */
function sidesOfLedger(metrics: MetricValues): { readonly kept: number; readonly explained: number } {
  const of = (name: string) => metrics.sum(name, { output });
  return {
    kept: of("loom_output_kept_events_total"),
    explained:
      of("loom_output_delivered_events_total") +
      of("loom_output_dead_events_total") +
      of("loom_output_dropped_events_total") +
      of("loom_output_waiting_events") +
      of("loom_output_damaged_events_total"),
  };
}

function isBalanced(metrics: MetricValues): boolean {
  const { kept, explained } = sidesOfLedger(metrics);
  return kept === explained;
}

const drained = (loom: RunningLoom) => untilDrained(loom.managementUrl, output);

async function answerOf(loom: RunningLoom, path: string): Promise<string> {
  const response = await fetch(loom.managementUrl + path);
  return `${response.status} ${await response.text()}`;
}

describe("after many faults of sensors and output", () => {
  let server: FaultyElasticsearch;
  let loom: RunningLoom;
  let sent: Tally;
  /** Scraped during the faults. */
  const scraped: MetricValues[] = [];
  let atTheEnd: MetricValues;

  beforeAll(async () => {
    server = await startFaultyElasticsearch();
    const random = createRandom(3);
    const faults: readonly Fault[] = [
      "none",
      "none",
      "none",
      "unavailable",
      "cut",
      "cut after commit",
      "late",
    ];
    server.fault = () => random.pick(faults);
    server.statusFor = (document) => (document.includes("poison") ? 400 : random.below(5) === 0 ? 429 : 201);
    loom = await start(configFor(server, "", "per_sensor_rps = 400"));
    sent = await blowStorm(loom, random, async () => {
      scraped.push(await readMetrics(loom.managementUrl));
    });
    await server.heal();
    atTheEnd = await drained(loom);
  });
  afterAll(async () => {
    await loom?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  test("every kind of answer occurred", () => {
    const statuses = Object.keys(sent.frankfurt.statuses).map(Number);
    expect(statuses.sort()).toEqual([204, 400, 401, 413, 415, 429]);
  });

  for (const sensor of ["frankfurt", "tokyo"] as const) {
    test(`requests of ${sensor} are counted by the status of their answer`, () => {
      const { 401: _unknownSensor, ...known } = sent[sensor].statuses;
      for (const [status, count] of Object.entries(known))
        expect([status, atTheEnd.sum("loom_ingest_requests_total", { sensor_id: sensor, status })]).toEqual([
          status,
          count,
        ]);
    });

    test(`requests of ${sensor} are either kept or refused`, () => {
      const of = (name: string, labels = {}) => atTheEnd.sum(name, { sensor_id: sensor, ...labels });
      expect(of("loom_ingest_requests_total")).toBe(
        of("loom_ingest_requests_total", { status: "204" }) + of("loom_ingest_refused_requests_total"),
      );
    });

    test(`the events of ${sensor} that count as kept are those that were answered 204`, () => {
      expect(atTheEnd.sum("loom_ingest_events_total", { sensor_id: sensor })).toBe(sent[sensor].keptEvents);
    });
  }

  test("requests without a valid token are counted for the unknown sensor", () => {
    const counted = atTheEnd.sum("loom_ingest_requests_total", { sensor_id: "unknown" });
    expect(counted).toBe((sent.frankfurt.statuses[401] ?? 0) + (sent.tokyo.statuses[401] ?? 0));
  });

  test("the events kept for the output are those kept from sensors", () => {
    const { kept, explained } = sidesOfLedger(atTheEnd);
    expect(kept).toBe(sent.frankfurt.keptEvents + sent.tokyo.keptEvents);
    expect(explained).toBe(kept);
  });

  test("the delivered events are those that the output has", () => {
    expect(atTheEnd.sum("loom_output_delivered_events_total")).toBe(server.documents().length);
  });

  test("the dead events are those that the output rejected, and are in the dead-letter file", () => {
    const poisoned = sent.frankfurt.poisonedEvents + sent.tokyo.poisonedEvents;
    expect(poisoned).toBeGreaterThan(0);
    expect(atTheEnd.sum("loom_output_dead_events_total")).toBe(poisoned);
    expect(atTheEnd.sum("loom_output_dead_letters")).toBe(poisoned);
  });

  test("the sum was correct at every scrape during the faults", () => {
    expect(scraped.length).toBeGreaterThan(10);
    expect(scraped.filter((metrics) => !isBalanced(metrics)).map(sidesOfLedger)).toEqual([]);
  });
});

interface SensorTally {
  readonly statuses: Record<number, number>;
  keptEvents: number;
  /** How many of the kept events the output rejects. */
  poisonedEvents: number;
}
type Tally = Readonly<Record<keyof typeof sensors, SensorTally>>;

const roundsOfStorm = 300;

/** Two sensors that send good and bad batches, several at once. */
async function blowStorm(loom: RunningLoom, random: Random, scrape: () => Promise<void>): Promise<Tally> {
  const tally: Tally = {
    frankfurt: { statuses: {}, keptEvents: 0, poisonedEvents: 0 },
    tokyo: { statuses: {}, keptEvents: 0, poisonedEvents: 0 },
  };

  async function sendOne(sensor: keyof typeof sensors): Promise<void> {
    const events = Array.from({ length: 1 + random.below(20) }, () =>
      random.below(40) === 0 ? '{"poison":1}' : '{"harmless":1}',
    );
    const good = `[${events.join(",")}]`;
    const wrong = random.below(12);
    const body =
      wrong === 0
        ? good.slice(1)
        : wrong === 1
          ? `["${"x".repeat(maxBodyBytes)}"]`
          : wrong === 2
            ? "[]"
            : good;
    const token = wrong === 3 ? "another-token" : sensors[sensor];
    const headers: Record<string, string> = wrong === 4 ? { "content-type": "text/plain" } : {};
    const status = await send(loom.ingestUrl, body, { token, headers });
    const { statuses } = tally[sensor];
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status !== 204 || body !== good) return;
    tally[sensor].keptEvents += events.length;
    tally[sensor].poisonedEvents += events.filter((event) => event.includes("poison")).length;
  }

  for (let round = 0; round < roundsOfStorm; round++) {
    await Promise.all([sendOne("frankfurt"), sendOne("frankfurt"), sendOne("tokyo"), scrape()]);
  }
  // Enough concurrent requests to exceed the rate.
  while (!tally.frankfurt.statuses[429])
    await Promise.all(Array.from({ length: 200 }, () => sendOne("frankfurt")));
  return tally;
}

test("after a restart, the events in the outbox count as kept", async () => {
  await using server = await startFaultyElasticsearch();
  server.statusFor = (document) => (document.includes("poison") ? 400 : 201);
  const config = configFor(server);
  await server.goAway();
  {
    await using loom = await start(config);
    for (let batch = 0; batch < 10; batch++)
      expect(await send(loom.ingestUrl, '[{"a":1},{"poison":1},{"a":2}]', { token: sensors.tokyo })).toBe(
        204,
      );
    loom.signal("SIGTERM");
    expect(await loom.exited).toBe(0);
  }
  await using loom = await start(config);
  expect(sidesOfLedger(await readMetrics(loom.managementUrl))).toEqual({ kept: 30, explained: 30 });
  await server.comeBack();
  const metrics = await drained(loom);
  expect(sidesOfLedger(metrics)).toEqual({ kept: 30, explained: 30 });
  expect(metrics.sum("loom_output_delivered_events_total")).toBe(20);
  expect(metrics.sum("loom_output_dead_events_total")).toBe(10);
});

/** 50 of them do not fit into the smallest outbox. */
const largeEvent = (n: number) => `{"n":${n},"x":"${"x".repeat(3_000)}"}`;
const sendLarge = (loom: RunningLoom, n: number) =>
  send(loom.ingestUrl, `[${largeEvent(n)}]`, { token: sensors.tokyo });

describe('a full outbox with on_full = "drop_oldest"', () => {
  const eventCount = 50;

  test.each(["the output is away", "a batch is on its way"] as const)(
    "drops, keeps the newest, and the ledger balances, while %s",
    async (state) => {
      await using server = await startFaultyElasticsearch();
      server.fault = () => (state === "the output is away" ? "unavailable" : "silence after commit");
      const policy = `on_full = "drop_oldest"\nmax_bytes = ${smallestOutboxBytes}`;
      await using loom = await start(configFor(server, policy));
      for (let n = 1; n <= eventCount; n++) {
        expect(await sendLarge(loom, n)).toBe(204);
        const { kept, explained } = sidesOfLedger(await readMetrics(loom.managementUrl));
        expect([kept, explained]).toEqual([n, n]);
      }
      expect(await answerOf(loom, "/ready/ingest")).toBe("200 ok");
      await server.heal();
      const metrics = await drained(loom);
      const dropped = metrics.sum("loom_output_dropped_events_total");
      expect(dropped).toBeGreaterThan(0);
      expect(sidesOfLedger(metrics)).toEqual({ kept: eventCount, explained: eventCount });
      const numbers = server.documents().map((document): number => JSON.parse(document).n);
      expect(numbers.length).toBe(metrics.sum("loom_output_delivered_events_total"));
      expect(numbers.at(-1)).toBe(eventCount);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    },
  );
});

describe('a full outbox with on_full = "reject"', () => {
  test("refuses batches and fails both readiness checks; when it is drained, batches are kept again and none is lost", async () => {
    await using server = await startFaultyElasticsearch();
    await server.goAway();
    await using loom = await start(configFor(server, `max_bytes = ${smallestOutboxBytes}`));
    const kept: number[] = [];
    let n = 1;
    for (let status = 204; status === 204; n++) {
      status = await sendLarge(loom, n);
      if (status === 204) kept.push(n);
      else expect(status).toBe(503);
    }
    expect(kept.length).toBeGreaterThan(10);
    expect(await answerOf(loom, "/ready/ingest")).toMatch(/^503 outbox (nearly )?full$/);
    expect(await answerOf(loom, "/ready")).toMatch(/^503 outbox (nearly )?full$/);

    await server.comeBack();
    const metrics = await drained(loom);
    expect(await answerOf(loom, "/ready/ingest")).toBe("200 ok");
    await until("Loom is ready", async () => (await answerOf(loom, "/ready")) === "200 ok");
    expect(await sendLarge(loom, n)).toBe(204);
    kept.push(n);
    await until("the last event", () => server.documents().length === kept.length);
    expect(server.documents()).toEqual(kept.map(largeEvent));
    expect(metrics.sum("loom_ingest_refused_events_total", { reason: "unavailable" })).toBe(1);
    expect(metrics.sum("loom_output_dropped_events_total")).toBe(0);
  });
});

test("while only the output fails, /ready is 503 and /ready/ingest is 200", async () => {
  await using server = await startFaultyElasticsearch();
  await using loom = await start(configFor(server));
  server.fault = () => "unavailable";
  expect(await answerOf(loom, "/ready")).toBe("200 ok");
  await sendLarge(loom, 1);
  await until("Loom is not ready", async () =>
    (await answerOf(loom, "/ready")).startsWith("503 elasticsearch: "),
  );
  expect(await answerOf(loom, "/ready/ingest")).toBe("200 ok");
  await server.heal();
  await until("Loom is ready", async () => (await answerOf(loom, "/ready")) === "200 ok");
  expect(server.documents()).toEqual([largeEvent(1)]);
});
