import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreHistory } from "../../../server/history/store-history.ts";
import type { HistoryNewAnswer } from "../../../server/management/api/answers.ts";
import { createHistoryApi } from "../../../server/management/api/history.ts";
import { createClickhouseHistory } from "../../../server/outputs/clickhouse/history/clickhouse-history.ts";
import type { History } from "../../../server/outputs/open-history.ts";
import type { StoreEvent } from "../../../server/store/store-writer.ts";
import { openWriter, startMs, temporaryFolder } from "../../store/stores.ts";
import { silentLog } from "../../support/log.ts";

const minute = 60_000;
const folder = temporaryFolder();
const store = openWriter(folder.path);
const history = StoreHistory.inThread(folder.path);

/** One event a minute, with ports 1, 2, 1, 3, 1, 2, 1, 4 and an address for each port. */
const ports = [1, 2, 1, 3, 1, 2, 1, 4];
const events: StoreEvent[] = ports.map((port, i) => ({
  sequence: i + 1,
  receivedAt: startMs + i * minute,
  sensorId: "s1",
  document: Buffer.from(JSON.stringify({ source: { ip: `192.0.2.${port}` }, destination: { port } })),
}));

beforeAll(() => store.writer.append("outbox", events));
afterAll(async () => {
  await history.close();
  store[Symbol.dispose]();
  folder[Symbol.dispose]();
});

function get(params: string, from: History = history): Promise<Response> {
  const onError = (error: Error) => {
    throw error;
  };
  const app = createHistoryApi({ history: from, onError, now: () => startMs + 10 * minute });
  return app.handle(new Request(`http://loom/api/v1/history/new?${params}`));
}

/** The body of an answer with status 200. */
async function list(params: string): Promise<HistoryNewAnswer> {
  const answer = await get(params);
  expect(answer.status).toBe(200);
  return (await answer.json()) as HistoryNewAnswer;
}

test("the values that are new since a time are listed, the newest first, with their events", async () => {
  expect(await list("by=port&since=8m")).toEqual({
    column: "port",
    values: [
      { value: 4, firstSeenAt: startMs + 7 * minute, events: 1 },
      { value: 3, firstSeenAt: startMs + 3 * minute, events: 1 },
    ],
    hasMore: false,
    listedSince: startMs + 2 * minute,
    recordsSince: startMs,
    evictedValues: 0,
    evictedBefore: null,
  });
});

test("without a time, it is 24 hours ago, and the list is complete since values are noted", async () => {
  const { values, listedSince } = await list("by=ip");
  expect(values.map(({ value, events: count }) => [value, count])).toEqual([
    ["192.0.2.4", 1],
    ["192.0.2.3", 1],
    ["192.0.2.2", 2],
    ["192.0.2.1", 4],
  ]);
  expect(listedSince).toBe(startMs);
});

test("a limit cuts the list off, which the answer says", async () => {
  const { values, hasMore } = await list("by=port&limit=1");
  expect(values).toHaveLength(1);
  expect(hasMore).toBe(true);
});

test.each([
  "",
  "by=sensor",
  "by=none",
  "by=port&since=soon",
  "by=port&limit=0",
  "by=port&limit=1001",
  "by=port&q=x",
])("%p is refused", async (params) => {
  const answer = await get(params);
  expect([answer.status, await answer.json()]).toEqual([400, { error: "invalid_request" }]);
});

test("an address is looked up by any of its texts", async () => {
  expect(await history.firstSeen("ip", "::ffff:192.0.2.2")).toMatchObject({ firstSeenAt: startMs + minute });
  expect(await history.firstSeen("ip", "not an address")).toMatchObject({ firstSeenAt: undefined });
});

describe("the answer is 503 and says why", () => {
  test.each([
    ["no file", (path: string) => rmSync(path, { force: true })],
    ["a damaged file", (path: string) => writeFileSync(path, "x".repeat(5_000))],
  ])("with %s", async (_, disturb) => {
    using other = temporaryFolder();
    disturb(join(other.path, "first-seen.db"));
    const reader = StoreHistory.inThread(other.path);
    const answer = await get("by=port", reader);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      error: "unavailable",
      reason: "the store has no first times that can be read; it notes them with the next delivery",
      hasHistory: true,
    });
    await reader.close();
  });

  test("with ClickHouse", async () => {
    const options = { url: "http://127.0.0.1:9", user: undefined, password: undefined, log: silentLog };
    const reader = createClickhouseHistory({ ...options, database: "default", table: "loom_events" });
    const answer = await get("by=port", reader);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      reason: expect.stringContaining("ClickHouse does not know when a value was first seen"),
    });
  });
});
