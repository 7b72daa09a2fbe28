import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WrongCursor } from "../../server/history/cursor.ts";
import type { HistoryEvent } from "../../server/history/history-reader.ts";
import { HistoryUnavailable } from "../../server/history/history-reader.ts";
import { StoreHistory } from "../../server/history/store-history.ts";
import { QueryClient } from "../../server/store/query-client.ts";
import { workerFile } from "../../server/worker-file.ts";
import { naiveMatches } from "../support/naive-history.ts";
import { createRandom } from "../support/random.ts";
import { randomQuery } from "../support/random-query.ts";
import { until } from "../support/until.ts";
import { variedEvents } from "../support/varied-events.ts";
import { temporaryFolder } from "./stores.ts";
import { writeStore } from "./write-store.ts";

setDefaultTimeout(30_000);
const everything = { terms: [], since: undefined, until: undefined };
/** Every document is parsed, so that it takes a while. */
const slow = { ...everything, terms: [{ kind: "text", text: "e", isExcluded: false }] } as const;

const store = temporaryFolder();
const random = createRandom(5);
const events = variedEvents(random, 8_000, Date.UTC(2026, 9, 1));
writeStore(store.path, events, { maxFileBytes: 400_000 }).close();
afterAll(() => store[Symbol.dispose]());

function openHistory(options: Partial<ConstructorParameters<typeof QueryClient>[0]> = {}) {
  const client = new QueryClient({ dir: store.path, ...options });
  const history = new StoreHistory(client);
  return { client, history, [Symbol.asyncDispose]: () => history.close() };
}

describe.each([
  ["in a worker", () => StoreHistory.inWorker(store.path)],
  ["in this thread", () => StoreHistory.inThread(store.path)],
])("a history that is read %s", (_, open) => {
  const history = open();
  afterAll(() => history.close());

  test("answers what a scan over all events finds", async () => {
    for (let i = 0; i < 20; i++) {
      const query = randomQuery(random, events);
      expect((await history.count(query)).events).toBe(naiveMatches(events, query).length);
    }
    expect((await history.coverage()).events).toBe(events.length);
    expect((await history.event("7"))?.document).toBe(events[6]?.json);
    expect((await history.events(everything, { limit: 3 })).events.map(({ id }) => id)).toEqual([
      "8000",
      "7999",
      "7998",
    ]);
    expect((await history.top(everything, "sensor", 2)).distinct).toBe(24);
    const range = { from: 0, to: 4e12, intervalMs: 4e12 };
    expect((await history.histogram(everything, range)).counts).toEqual([events.length]);
  });

  test("exports all events in their order, while other queries are answered", async () => {
    const pieces: (readonly HistoryEvent[])[] = [];
    const shares: number[] = [];
    const exported = history.export(everything, { onProgress: ({ share }) => shares.push(share) });
    for await (const piece of exported) {
      pieces.push(piece);
      expect((await history.count(everything)).events).toBe(events.length);
    }
    expect(pieces.length).toBeGreaterThan(2);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    expect(pieces.flat().map(({ document }) => document)).toEqual(events.map(({ json }) => json));
  });

  test("ends an export when it is aborted", async () => {
    const abort = new AbortController();
    const read = async () => {
      for await (const piece of history.export(everything, { signal: abort.signal }))
        if (piece.length > 0) abort.abort(new Error("gone"));
    };
    await expect(read()).rejects.toThrow("gone");
  });

  test("refuses wrong cursors and numbers with errors of their own", async () => {
    await expect(history.events(everything, { limit: 1, cursor: "x" })).rejects.toBeInstanceOf(WrongCursor);
    await expect(history.events(everything, { limit: 0 })).rejects.toBeInstanceOf(RangeError);
    const range = { from: 0, to: 1e9, intervalMs: 1 };
    await expect(history.histogram(everything, range)).rejects.toBeInstanceOf(RangeError);
  });
});

test("queries are answered in their order", async () => {
  await using open = openHistory();
  const order: string[] = [];
  await Promise.all([
    open.history.count(slow).then(() => order.push("slow")),
    open.history.count(everything).then(() => order.push("fast")),
    open.history.coverage().then(() => order.push("coverage")),
  ]);
  expect(order).toEqual(["slow", "fast", "coverage"]);
});

test("a query is refused while too many are waiting, and afterwards answered", async () => {
  await using open = openHistory({ maxWaiting: 2 });
  const queries = Array.from({ length: 4 }, () => open.history.count(slow));
  const settled = await Promise.allSettled(queries);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"]);
  await expect(queries[3]).rejects.toThrow(
    new HistoryUnavailable("2 queries are waiting already; try again later"),
  );
  expect((await open.history.count(everything)).events).toBe(events.length);
});

test("more than four exports at once are refused", async () => {
  await using open = openHistory();
  const exports = Array.from({ length: 5 }, () => open.history.export(everything));
  const first = exports.map((one) => one.next());
  await expect(first[4]).rejects.toThrow("4 exports are running already");
  for (const one of exports) await one.return(undefined);
  expect((await open.history.export(everything).next()).done).toBe(false);
});

test("a running query ends when it is cancelled, and the next one is answered by the same worker", async () => {
  let started = 0;
  await using open = openHistory({
    startWorker: () => {
      started++;
      return new Worker(workerFile("server/store/query-worker.ts"));
    },
  });
  const abort = new AbortController();
  const isRunning = Promise.withResolvers<void>();
  const cancelled = open.history.count(slow, {
    signal: abort.signal,
    deadlineMs: 1e9,
    onProgress: () => isRunning.resolve(),
  });
  await isRunning.promise;
  abort.abort(new Error("gone"));
  await expect(cancelled).rejects.toThrow("gone");
  expect((await open.history.count(everything)).events).toBe(events.length);
  expect(started).toBe(1);
});

test("a waiting query that is cancelled is never computed", async () => {
  await using open = openHistory();
  const abort = new AbortController();
  const first = open.history.count(slow);
  const waiting = open.history.count(slow, { signal: abort.signal });
  abort.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  expect((await first).isComplete).toBe(true);
  await expect(open.history.count(slow, { signal: abort.signal })).rejects.toThrow("gone");
});

test("the worker ends when it is idle, and the next query starts another one", async () => {
  await using open = openHistory({ idleMs: 1 });
  expect(open.client.isWorking).toBe(false);
  await open.history.count(everything);
  await until("the end of the worker", () => !open.client.isWorking);
  expect((await open.history.count(everything)).events).toBe(events.length);
});

test("a query whose worker has ended is refused, and the next one starts another worker", async () => {
  let worker: Worker | undefined;
  await using open = openHistory({
    startWorker: () => {
      worker = new Worker(workerFile("server/store/query-worker.ts"));
      return worker;
    },
  });
  const query = open.history.count(slow, { onProgress: () => worker?.terminate() });
  await expect(query).rejects.toBeInstanceOf(HistoryUnavailable);
  expect((await open.history.count(everything)).events).toBe(events.length);
});

test("nothing is answered after the history was closed", async () => {
  const { history } = openHistory();
  const waiting = history.count(slow);
  await history.close();
  await expect(waiting).rejects.toThrow("the store is closed");
  await expect(history.count(everything)).rejects.toBeInstanceOf(HistoryUnavailable);
});

test("searches leave only plain files", () => {
  expect(readdirSync(store.path).filter((name) => !name.endsWith(".db"))).toEqual([]);
  expect(readdirSync(join(store.path)).length).toBeGreaterThan(2);
});

describe.each([
  ["in a worker", StoreHistory.inWorker],
  ["in this thread", StoreHistory.inThread],
])("a history that is read %s", (_, open) => {
  test("is unavailable, and not empty, if its directory cannot be read", async () => {
    using folder = temporaryFolder();
    const dir = join(folder.path, "store");
    writeFileSync(dir, "");
    const history = open(dir);
    const answer = history.count(everything);
    await expect(answer).rejects.toBeInstanceOf(HistoryUnavailable);
    await expect(answer).rejects.toThrow("cannot read the store: ENOTDIR");
    await history.close();
  });
});
