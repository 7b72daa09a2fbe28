import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { columnNames } from "../../../server/event/columns.ts";
import type { ExportSlice } from "../../../server/store/search/export-slice.ts";
import { QueryEngine } from "../../../server/store/search/query-engine.ts";
import { naiveMatches, naiveTop } from "../../support/naive-history.ts";
import { createRandom } from "../../support/random.ts";
import { randomQuery } from "../../support/random-query.ts";
import { variedEvents } from "../../support/varied-events.ts";
import { temporaryFolder } from "../stores.ts";
import { writeStore } from "../write-store.ts";

const seed = Number(process.env.LOOM_MODEL_SEED ?? 1);
const runs = Number(process.env.LOOM_MODEL_RUNS ?? 50);
setDefaultTimeout(60_000);
const start = Date.UTC(2026, 9, 1);

/** Several days in many small files, the last one open; and one file with a segment, chunks and a tail. */
const layouts = [
  { name: "many files", count: 4_000, maxFileBytes: 200_000, maxDelivery: 300, queryCount: 2 * runs },
  {
    name: "one file with a segment and rows after it",
    count: 20_000,
    maxFileBytes: 1e9,
    maxDelivery: 3_000,
    queryCount: runs,
  },
] as const;

describe.each(layouts)("of $name", ({ count, maxFileBytes, maxDelivery, queryCount }) => {
  const random = createRandom(seed);
  const store = temporaryFolder();
  const events = variedEvents(random, count, start).map((event, i) => ({ ...event, number: i + 1 }));
  const writer = writeStore(store.path, events, {
    maxFileBytes,
    deliverySizes: () => 1 + random.below(maxDelivery),
  });
  const engine = new QueryEngine(store.path);
  const queries = Array.from({ length: queryCount }, (_, i) => ({
    query: randomQuery(random, events),
    column: random.pick(columnNames),
    limit: 1 + random.below(300),
    i,
  }));

  afterAll(() => {
    engine.close();
    writer.close();
    store[Symbol.dispose]();
  });

  test("coverage has all events", async () => {
    expect(await engine.answer({ kind: "coverage" })).toMatchObject({
      events: count,
      damagedEvents: 0,
      oldest: Math.min(...events.map(({ receivedAt }) => receivedAt)),
      newest: Math.max(...events.map(({ receivedAt }) => receivedAt)),
    });
  });

  test("counts are those of a scan over all events", async () => {
    for (const { query } of queries) {
      const answer = await engine.answer({ kind: "count", query });
      expect({ query, ...answer }).toEqual({
        query,
        time: "received",
        isComplete: true,
        searchedBackTo: undefined,
        damagedEvents: 0,
        events: naiveMatches(events, query).length,
      });
    }
  });

  test("pages of events, one after the other, are those of a scan over all events", async () => {
    for (const { query, limit } of queries) {
      const matches = naiveMatches(events, query).toReversed();
      const found: unknown[] = [];
      let cursor: string | undefined;
      do {
        const answer = await engine.answer({ kind: "events", query, page: { limit, cursor } });
        expect(answer.events.length).toBeLessThanOrEqual(limit);
        found.push(...answer.events);
        cursor = answer.cursor;
      } while (cursor !== undefined && found.length < 3 * limit);
      const expected = cursor === undefined ? matches : matches.slice(0, found.length);
      expect({ query, found }).toEqual({
        query,
        found: expected.map(({ number, receivedAt, sensorId, json }) => ({
          id: String(number),
          receivedAt,
          sensorId,
          document: json,
        })),
      });
    }
  });

  test("top values are those of a scan over all events", async () => {
    for (const { query, column, limit } of queries) {
      const { values, without } = naiveTop(naiveMatches(events, query), column);
      const answer = await engine.answer({ kind: "top", query, column, limit });
      expect({ query, column, ...answer }).toMatchObject({
        query,
        column,
        values: values.slice(0, limit),
        others: values.slice(limit).reduce((sum, one) => sum + one.events, 0),
        without,
        distinct: values.length,
      });
    }
  });

  test("histograms are those of a scan over all events", async () => {
    for (const { query, limit } of queries) {
      const range = { from: start + limit * 1_000, to: start + 40e6, intervalMs: 10_000 * limit };
      const counts = new Array<number>(Math.ceil((range.to - range.from) / range.intervalMs)).fill(0);
      for (const { receivedAt } of naiveMatches(events, query)) {
        if (receivedAt < range.from || receivedAt >= range.to) continue;
        const interval = Math.floor((receivedAt - range.from) / range.intervalMs);
        counts[interval] = (counts[interval] ?? 0) + 1;
      }
      const answer = await engine.answer({ kind: "histogram", query, range });
      expect({ query, ...answer }).toMatchObject({ query, from: range.from, counts });
    }
  });

  test("an export in slices has the documents of a scan over all events, byte for byte", async () => {
    for (const { query } of queries.slice(0, 15)) {
      const span = await engine.answer({ kind: "exportSpan" });
      const documents: string[] = [];
      for (let rest: typeof span | undefined = span; rest; ) {
        const slice: ExportSlice = await engine.answer(
          { kind: "export", query, span: rest },
          { deadlineMs: 5 },
        );
        documents.push(...slice.events.map(({ document }) => document));
        rest = slice.rest;
      }
      expect(documents).toEqual(naiveMatches(events, query).map(({ json }) => json));
    }
  });

  test("each event is found by its number", async () => {
    for (const { i } of queries) {
      const { number, receivedAt, sensorId, json } =
        events[(i * 7919) % count] ?? events[0] ?? expect.unreachable();
      const answer = await engine.answer({ kind: "event", number });
      expect(answer).toEqual({ id: String(number), receivedAt, sensorId, document: json });
    }
    expect(await engine.answer({ kind: "event", number: count + 1 })).toBeUndefined();
  });
});
