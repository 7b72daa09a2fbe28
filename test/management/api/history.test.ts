import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HistoryUnavailable } from "../../../server/history/history-reader.ts";
import { StoreHistory } from "../../../server/history/store-history.ts";
import type {
  HistoryCountAnswer,
  HistoryCoverageAnswer,
  HistoryEventAnswer,
  HistoryEventsAnswer,
  HistoryHistogramAnswer,
  HistoryTopAnswer,
} from "../../../server/management/api/answers.ts";
import { createHistoryApi } from "../../../server/management/api/history.ts";
import { writeStore } from "../../store/write-store.ts";
import { getJson, getStatus } from "../../support/api.ts";

const directory = mkdtempSync(join(tmpdir(), "loom-history-api-"));
const now = Date.UTC(2026, 10, 20, 12);
const minuteMs = 60_000;
const documents = Array.from(
  { length: 300 },
  (_, i) =>
    `{"n":${i}.0,"source":{"ip":"192.0.2.${i % 100}"},"destination":{"port":${[22, 23, 80][i % 3]}},"x":"\\u003c"}`,
);
const writer = writeStore(
  directory,
  documents.map((document, i) => ({
    sequence: i + 1,
    receivedAt: now - (299 - i) * minuteMs,
    sensorId: "vps-1",
    document: Buffer.from(document),
  })),
);
const errors: Error[] = [];
const history = StoreHistory.inThread(directory);
const api = createHistoryApi({ history, onError: (error) => errors.push(error), now: () => now });
const path = "/api/v1/history";

afterAll(async () => {
  await history.close();
  writer.close();
  rmSync(directory, { recursive: true });
});

function withQuery(resource: string, params: Readonly<Record<string, string>>): string {
  return `${path}/${resource}?${new URLSearchParams(params)}`;
}

async function textOf(url: string): Promise<string> {
  return (await api.handle(new Request(`http://localhost${url}`))).text();
}

describe("answers", () => {
  test("the coverage has the oldest and the newest event, and their number", async () => {
    expect(await getJson<HistoryCoverageAnswer>(api, `${path}/coverage`)).toMatchObject({
      time: "received",
      oldestAt: now - 299 * minuteMs,
      newestAt: now,
      events: 300,
      damagedEvents: 0,
    });
  });

  test("events come page by page, the newest first, with the exact text of each document", async () => {
    const found: HistoryEventAnswer[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const params = { q: "port:22", limit: "30", ...(cursor === undefined ? {} : { cursor }) };
      const page: HistoryEventsAnswer = await getJson(api, withQuery("events", params));
      expect(page.isComplete).toBe(true);
      found.push(...page.events);
      cursor = page.cursor;
    }
    expect(found.map(({ document }) => document)).toEqual(
      documents.filter((_, i) => i % 3 === 0).toReversed(),
    );
    const [first] = found;
    expect(await getJson<HistoryEventAnswer>(api, `${path}/events/${first?.id}`)).toEqual(
      first ?? expect.unreachable(),
    );
  });

  test("since: and until: limit the time", async () => {
    const answer = await getJson<HistoryCountAnswer>(api, withQuery("count", { q: "since:1h" }));
    expect(answer).toMatchObject({ events: 61, time: "received", isComplete: true, searchedBackTo: null });
  });

  test("top values have the others and the events without a value", async () => {
    const params = { q: "port:22,23", by: "destination.port", limit: "1" };
    expect(await getJson<HistoryTopAnswer>(api, withQuery("top", params))).toMatchObject({
      column: "port",
      values: [{ value: 22, events: 100 }],
      others: 100,
      without: 0,
      distinct: 2,
    });
    expect(await getJson<HistoryTopAnswer>(api, withQuery("top", { by: "path" }))).toMatchObject({
      values: [],
      without: 300,
    });
  });

  test("a histogram has an interval for each part of the time, chosen or asked for", async () => {
    const asked = await getJson<HistoryHistogramAnswer>(
      api,
      withQuery("histogram", { q: "since:5h", interval: "1h" }),
    );
    expect(asked.intervalMs).toBe(60 * minuteMs);
    expect(asked.from % asked.intervalMs).toBe(0);
    expect(asked.counts.reduce((sum, count) => sum + count, 0)).toBe(300);
    const chosen = await getJson<HistoryHistogramAnswer>(api, `${path}/histogram`);
    expect(chosen.counts.length).toBeGreaterThan(30);
    expect(chosen.counts.reduce((sum, count) => sum + count, 0)).toBe(300);
  });

  test("a histogram since a time in the future has one empty interval", async () => {
    const since = Date.UTC(2099, 0, 1);
    const answer = await getJson<HistoryHistogramAnswer>(
      api,
      withQuery("histogram", { q: "since:2099-01-01", interval: "1h" }),
    );
    expect(answer).toMatchObject({ from: since, counts: [0] });
  });
});

describe("an export", () => {
  test("has the exact documents, the oldest first", async () => {
    expect(await textOf(`${path}/export`)).toBe(documents.map((document) => `${document}\n`).join(""));
  });

  test("as CSV has the chosen columns", async () => {
    const text = await textOf(withQuery("export", { q: "ip:192.0.2.7", format: "csv", columns: "port,ip" }));
    expect(text).toBe("port,ip\r\n23,192.0.2.7\r\n80,192.0.2.7\r\n22,192.0.2.7\r\n");
  });

  test("is a file for browsers, which is not cached", async () => {
    const { headers } = await api.handle(new Request(`http://localhost${path}/export?format=csv`));
    expect(headers.get("content-disposition")).toBe('attachment; filename="loom-events-2026-11-20.csv"');
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  test("ends the search when the client goes away", async () => {
    let isEnded = false;
    async function* endless() {
      try {
        for (;;) yield [{ id: "1", receivedAt: 0, sensorId: "", document: "{}" }];
      } finally {
        isEnded = true;
      }
    }
    const endlessApi = createHistoryApi({
      history: { ...history, export: endless, close: async () => {} } as unknown as StoreHistory,
      onError: () => {},
    });
    const response = await endlessApi.handle(new Request(`http://localhost${path}/export`));
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(isEnded).toBe(true);
  });
});

describe("a client that goes away", () => {
  /** An API whose answers take until the client is gone. */
  function waitingApi() {
    const logged: Error[] = [];
    const started = Promise.withResolvers<void>();
    const untilGone = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        started.resolve();
      });
    const waiting = {
      count: (_: unknown, { signal }: { signal: AbortSignal }) => untilGone(signal),
      async *export(_: unknown, { signal }: { signal: AbortSignal }) {
        yield [{ id: "1", receivedAt: 0, sensorId: "", document: "{}" }];
        await untilGone(signal);
      },
    };
    const client = new AbortController();
    const request = (resource: string) =>
      createHistoryApi({
        history: waiting as unknown as StoreHistory,
        onError: (error) => logged.push(error),
      }).handle(new Request(`http://localhost${path}/${resource}`, { signal: client.signal }));
    return { client, request, logged, started: started.promise };
  }

  test("is not logged as an error of its query", async () => {
    const { client, request, logged, started } = waitingApi();
    const answer = request("count");
    await started;
    client.abort();
    await answer;
    expect(logged).toEqual([]);
  });

  test("is not logged as an error of its export", async () => {
    const { client, request, logged, started } = waitingApi();
    const reader = (await request("export")).body?.getReader();
    await reader?.read();
    const next = reader?.read().catch(() => {});
    await started;
    client.abort();
    await next;
    expect(logged).toEqual([]);
  });
});

describe("a request is refused", () => {
  test("with the place of the fault in its query", async () => {
    const response = await api.handle(
      new Request(`http://localhost${withQuery("count", { q: "a prot:22" })}`),
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: "invalid_query",
      start: 2,
      length: 4,
      message: expect.stringContaining("prot"),
      suggestion: "port",
    });
  });

  test.each([
    "events?limit=0",
    "events?limit=501",
    "events?limit=x",
    "events?unknown=1",
    "events?q=a&q=b",
    "top",
    "top?by=unknown",
    "top?by=ip&limit=1001",
    "histogram?interval=0h",
    "histogram?interval=1x",
    "histogram?q=since:30d&interval=1s",
    "export?format=xml",
    "export?columns=ip",
    "export?format=csv&columns=ip,ip",
    "export?format=csv&columns=nothing",
  ])("400: %s", async (resource) => {
    expect(await getStatus(api, `${path}/${resource}`)).toBe(400);
  });

  test.each(["events/0", "events/301", "events/x", "events/1%20", "nothing"])("404: %s", async (resource) => {
    expect(await getStatus(api, `${path}/${resource}`)).toBe(404);
  });

  test("503 with the reason if nothing can be searched", async () => {
    for (const unavailable of [
      { unavailable: "there is no history here" },
      { ...history, coverage: () => Promise.reject(new HistoryUnavailable("there is no history here")) },
    ]) {
      const none = createHistoryApi({ history: unavailable as unknown as StoreHistory, onError: () => {} });
      const response = await none.handle(new Request(`http://localhost${path}/coverage`));
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({
        error: "unavailable",
        reason: "there is no history here",
        hasHistory: !("unavailable" in unavailable),
      });
    }
  });

  test("400 with a cursor of another query, which is not logged as an error", async () => {
    const page = await getJson<HistoryEventsAnswer>(api, withQuery("events", { q: "port:22", limit: "1" }));
    for (const cursor of [page.cursor ?? "", "x", "~".repeat(500)])
      expect(await getStatus(api, withQuery("events", { q: "port:23", cursor }))).toBe(400);
    expect(errors).toEqual([]);
  });
});
