import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { HistoryEvent } from "../../../server/history/history-reader.ts";
import { HistoryUnavailable } from "../../../server/history/history-reader.ts";
import type { Query, QueryTerm } from "../../../server/query/query.ts";
import { QueryEngine } from "../../../server/store/search/query-engine.ts";
import { naiveMatches } from "../../support/naive-history.ts";
import { createRandom } from "../../support/random.ts";
import { eventFiles } from "../../support/store-reader.ts";
import { type VariedEvent, variedEvents } from "../../support/varied-events.ts";
import { temporaryFolder } from "../stores.ts";
import { writeStore } from "../write-store.ts";

setDefaultTimeout(30_000);
const start = Date.UTC(2026, 9, 1);
const everything: Query = { terms: [], since: undefined, until: undefined };

function textQuery(text: string, isExcluded = false): Query {
  return { ...everything, terms: [{ kind: "text", text, isExcluded } satisfies QueryTerm] };
}

/** Advances with each look, so that a deadline of n ends a search after n steps. */
function steppingClock(): () => number {
  let steps = 0;
  return () => steps++;
}

async function allPages(engine: QueryEngine, query: Query, limit: number, deadlineMs?: number) {
  const found: HistoryEvent[] = [];
  let answers = 0;
  let cursor: string | undefined;
  do {
    const page = { limit, cursor };
    const answer = await engine.answer(
      { kind: "events", query, page },
      deadlineMs === undefined ? {} : { deadlineMs },
    );
    found.push(...answer.events);
    cursor = answer.cursor;
    answers++;
  } while (cursor !== undefined);
  return { numbers: found.map(({ id }) => Number(id)), answers };
}

function numbersOf(events: readonly VariedEvent[], query: Query): number[] {
  return naiveMatches(events, query)
    .map(({ sequence }) => sequence)
    .toReversed();
}

describe("a search whose time is over", () => {
  const store = temporaryFolder();
  const events = variedEvents(createRandom(7), 5_000, start);
  const writer = writeStore(store.path, events, { maxFileBytes: 200_000 });
  const engine = new QueryEngine(store.path, { now: steppingClock() });
  const query = textQuery("wget");

  afterAll(() => {
    engine.close();
    writer.close();
    store[Symbol.dispose]();
  });

  test("is continued by its cursor until every event was found once", async () => {
    const { numbers, answers } = await allPages(engine, query, 50, 5);
    expect(numbers).toEqual(numbersOf(events, query));
    expect(answers).toBeGreaterThan(10);
  });

  test("tells how far back it has searched, and what it has found until then", async () => {
    const answer = await engine.answer({ kind: "events", query, page: { limit: 5_000 } }, { deadlineMs: 20 });
    expect(answer).toMatchObject({ isComplete: false, time: "received" });
    const oldest = Number(answer.events.at(-1)?.id);
    expect(answer.events.map(({ id }) => Number(id))).toEqual(
      numbersOf(events, query).filter((number) => number >= oldest),
    );
    const since = answer.searchedBackTo ?? expect.unreachable();
    expect(since).toBeLessThanOrEqual(events[oldest - 1]?.receivedAt ?? 0);
    expect(since).toBeGreaterThan(start);
  });

  test("counts the events that it has examined", async () => {
    const answer = await engine.answer({ kind: "count", query }, { deadlineMs: 20 });
    expect(answer.isComplete).toBe(false);
    expect(answer.events).toBeGreaterThan(0);
    expect(answer.events).toBeLessThan(numbersOf(events, query).length);
  });

  test("makes progress even without any time", async () => {
    const { numbers } = await allPages(engine, everything, 5_000, 0);
    expect(numbers).toEqual(numbersOf(events, everything));
  });
});

describe("a cursor", () => {
  const store = temporaryFolder();
  const events = variedEvents(createRandom(8), 6_000, start);
  const writer = writeStore(store.path, events.slice(0, 5_000), { maxFileBytes: 200_000 });
  const engine = new QueryEngine(store.path);
  const query = textQuery("admin", true);
  const matching = numbersOf(events.slice(0, 5_000), query);

  const pageAfter = (cursor: string | undefined, asked = query) =>
    engine.answer({ kind: "events", query: asked, page: { limit: 100, cursor } });
  let cursor = "";

  beforeAll(async () => {
    cursor = (await pageAfter(undefined)).cursor ?? expect.unreachable();
  });
  afterAll(() => {
    engine.close();
    writer.close();
    store[Symbol.dispose]();
  });

  test("stays valid while new events arrive", async () => {
    writer.append("outbox", events.slice(5_000));
    const { events: found } = await pageAfter(cursor);
    expect(found.map(({ id }) => Number(id))).toEqual(matching.slice(100, 200));
  });

  test("stays valid while old events expire", async () => {
    rmSync(join(store.path, readdirSync(store.path).find((name) => name.endsWith("-1.db")) ?? "none"));
    const { events: found } = await pageAfter(cursor);
    expect(found.map(({ id }) => Number(id))).toEqual(matching.slice(100, 200));
  });

  test("stays valid if only the time is bounded otherwise, as with the last 24 hours", async () => {
    const { events: found } = await pageAfter(cursor, { ...query, since: start - 1 });
    expect(found.map(({ id }) => Number(id))).toEqual(matching.slice(100, 200));
  });

  test("of another query is refused", async () => {
    await expect(pageAfter(cursor, everything)).rejects.toThrow(
      "the cursor is from an answer to another query",
    );
  });

  test.each(["", "v1-1-", "v1-zz-0123456789abcdef0", "' OR 1", "v1-0-0123456789abcdef", "x".repeat(10_000)])(
    "that is %p is refused",
    async (garbage) => {
      await expect(pageAfter(garbage)).rejects.toThrow("the cursor is not one that an answer had");
    },
  );
});

describe("while a query runs", () => {
  const random = createRandom(9);
  const events = variedEvents(random, 5_000, start);
  const query = textQuery("root");

  async function withStore(disturb: (dir: string, file: string) => void) {
    using store = temporaryFolder();
    writeStore(store.path, events, { maxFileBytes: 200_000 }).close();
    const engine = new QueryEngine(store.path, { now: steppingClock() });
    const [first = "", second = ""] = eventFiles(store.path).toSorted(
      (a, b) => Number(a.split(/[-.]/)[3]) - Number(b.split(/[-.]/)[3]),
    );
    let isDisturbed = false;
    const answer = await engine.answer(
      { kind: "count", query },
      {
        deadlineMs: 1e9,
        onProgress: () => {
          if (!isDisturbed) disturb(store.path, first);
          isDisturbed = true;
        },
      },
    );
    engine.close();
    const end = Number(second.split(/[-.]/)[3]);
    return { answer, isDisturbed, left: numbersOf(events, query).filter((number) => number >= end).length };
  }

  test("the oldest day can be removed", async () => {
    const { answer, left, isDisturbed } = await withStore((dir, file) => rmSync(join(dir, file)));
    expect(isDisturbed).toBe(true);
    expect(answer).toMatchObject({ events: left, isComplete: true, damagedEvents: 0 });
  });

  test("a file can be moved to damaged/", async () => {
    const { answer, left } = await withStore((dir, file) => {
      mkdirSync(join(dir, "damaged"));
      renameSync(join(dir, file), join(dir, "damaged", file));
    });
    expect(answer).toMatchObject({ events: left, isComplete: true, damagedEvents: 0 });
  });

  test("it can be cancelled", async () => {
    using store = temporaryFolder();
    writeStore(store.path, events, { maxFileBytes: 200_000 }).close();
    const engine = new QueryEngine(store.path, { now: steppingClock() });
    const cancel = new AbortController();
    const answer = engine.answer(
      { kind: "count", query },
      { deadlineMs: 1e9, signal: cancel.signal, onProgress: () => cancel.abort(new Error("gone")) },
    );
    await expect(answer).rejects.toThrow("gone");
    engine.close();
  });
});

test("a store that has no directory yet is empty", async () => {
  using store = temporaryFolder();
  const engine = new QueryEngine(join(store.path, "none"));
  expect(await engine.answer({ kind: "coverage" })).toMatchObject({ events: 0, oldest: undefined, bytes: 0 });
  expect(await engine.answer({ kind: "exportSpan" })).toEqual({ from: 0, to: 0 });
  engine.close();
});

test("a search leaves no files beside those that it has read", async () => {
  using store = temporaryFolder();
  writeStore(store.path, variedEvents(createRandom(3), 700, start), { maxFileBytes: 100_000 }).close();
  const before = readdirSync(store.path).toSorted();
  const engine = new QueryEngine(store.path);
  expect((await engine.answer({ kind: "count", query: textQuery("root", true) })).events).toBeGreaterThan(0);
  engine.close();
  expect(readdirSync(store.path).toSorted()).toEqual(before);
});

test("a search keeps the writer neither from copying its log nor from sealing its file", async () => {
  using store = temporaryFolder();
  const events = variedEvents(createRandom(4), 2_000, start);
  const writer = writeStore(store.path, events.slice(0, 500), { maxFileBytes: 60_000 });
  const engine = new QueryEngine(store.path);
  for (let at = 500; at < events.length; at += 500) {
    await engine.answer({ kind: "count", query: textQuery("root") });
    writer.append("outbox", events.slice(at, at + 500));
  }
  const logs = eventFiles(store.path).filter((name) => name.endsWith("-wal"));
  expect(logs.length).toBe(1);
  expect(existsSync(join(store.path, logs[0] ?? ""))).toBe(true);
  engine.close();
  writer.close();
});

test("a file that this user may not read does not count as damaged", async () => {
  using store = temporaryFolder();
  writeStore(store.path, variedEvents(createRandom(5), 100, start)).close();
  for (const name of eventFiles(store.path)) chmodSync(join(store.path, name), 0);
  chmodSync(store.path, 0o755);
  const engine = new QueryEngine(store.path);
  using _ = asOrdinaryUser();
  const answer = engine.answer({ kind: "count", query: textQuery("root") });
  await expect(answer).rejects.toBeInstanceOf(HistoryUnavailable);
  engine.close();
});

/** Root may read everything. */
function asOrdinaryUser(): Disposable {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  return {
    [Symbol.dispose]() {
      if (isRoot) process.seteuid?.(0);
    },
  };
}
