import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { columnNames } from "../../../server/event/columns.ts";
import type { HistoryEvent } from "../../../server/history/history-reader.ts";
import { QueryEngine } from "../../../server/store/search/query-engine.ts";
import { naiveMatches, naiveTop } from "../../support/naive-history.ts";
import { createRandom } from "../../support/random.ts";
import { randomQuery } from "../../support/random-query.ts";
import { eventFiles } from "../../support/store-reader.ts";
import { type VariedEvent, variedEvents } from "../../support/varied-events.ts";
import { temporaryFolder } from "../stores.ts";
import { writeStore } from "../write-store.ts";

setDefaultTimeout(30_000);
const start = Date.UTC(2026, 9, 1);
const everything = { terms: [], since: undefined, until: undefined };
const count = 6_000;
const random = createRandom(21);
const events = variedEvents(random, count, start);
const queries = Array.from({ length: 25 }, () => ({
  query: randomQuery(random, events),
  column: random.pick(columnNames),
}));

/** Two sealed files, and one that is open with chunks and a tail. */
function damagedStore(damage: (file: Database) => void) {
  const store = temporaryFolder();
  writeStore(store.path, events, { maxFileBytes: 400_000 }).close();
  for (const name of eventFiles(store.path)) {
    const file = new Database(join(store.path, name));
    damage(file);
    file.close();
  }
  const engine = new QueryEngine(store.path);
  return {
    engine,
    [Symbol.dispose]() {
      engine.close();
      store[Symbol.dispose]();
    },
  };
}

/** Changes a byte of every n-th blob. */
function flipped(table: string, column: string, every = 1): (file: Database) => void {
  return (file) => {
    const blobs = file
      .query<{ id: number; z: Uint8Array }, []>(`SELECT rowid AS id, ${column} AS z FROM ${table}`)
      .all();
    for (const [i, { id, z }] of blobs.entries()) {
      if (i % every !== 0) continue;
      const at = random.below(z.length);
      z[at] = (z[at] ?? 0) ^ (1 << random.below(8));
      file.query(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(z, id);
    }
  };
}

async function expectAllFound(engine: QueryEngine, stored: readonly VariedEvent[], damagedEvents = 0) {
  for (const { query, column } of queries) {
    const matches = naiveMatches(stored, query);
    const counted = await engine.answer({ kind: "count", query });
    expect({ query, ...counted }).toMatchObject({ query, events: matches.length, damagedEvents });
    const { values, without } = naiveTop(matches, column);
    const top = await engine.answer({ kind: "top", query, column, limit: 1_000_000 });
    expect({ query, column, ...top }).toMatchObject({ query, column, values, without });
    const range = { from: start, to: start + 100e6, intervalMs: 1e6 };
    const { counts } = await engine.answer({ kind: "histogram", query, range });
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(
      matches.filter(({ receivedAt }) => receivedAt >= range.from && receivedAt < range.to).length,
    );
    const found = await engine.answer({ kind: "events", query, page: { limit: 10_000 } });
    expect(found.events.map(({ id }) => Number(id))).toEqual(
      matches.map(({ sequence }) => sequence).toReversed(),
    );
  }
}

describe("everything is found by the documents if of a segment", () => {
  test.each([
    ["the dictionaries are damaged", flipped("col", "dict")],
    ["the codes are damaged", flipped("col", "codes")],
    ["some columns are damaged", flipped("col", "dict", 7)],
    ["the times are damaged", flipped("seg", "times")],
    ["the bitmaps of trigrams are damaged", flipped("grams", "z")],
    ["a column is missing", (file: Database) => file.run("DELETE FROM col WHERE c = 'ip'")],
    ["the bitmaps of trigrams are missing", (file: Database) => file.run("DELETE FROM grams")],
    ["the blobs have another type", (file: Database) => file.run("UPDATE col SET dict = 7, codes = 'x'")],
  ])("%s", async (_, damage) => {
    using store = damagedStore(damage);
    await expectAllFound(store.engine, events);
  });
});

describe("if chunks are damaged", () => {
  const damage = flipped("docs", "z", 3);

  test("all other events are found, and the damaged ones are counted", async () => {
    using store = damagedStore(damage);
    const { events: found, damagedEvents } = await store.engine.answer({
      kind: "events",
      query: everything,
      page: { limit: count },
    });
    expect(damagedEvents).toBeGreaterThan(1_000);
    expect(found.length + damagedEvents).toBe(count);
    for (const { id, document } of found) expect(document).toBe(events[Number(id) - 1]?.json ?? "");
  });

  test("a text is found in the others", async () => {
    using store = damagedStore(damage);
    const terms = [{ kind: "text", text: "wget", isExcluded: false }] as const;
    const query = { ...everything, terms };
    const answer = await store.engine.answer({ kind: "events", query, page: { limit: count } });
    const all = naiveMatches(events, query).map(({ sequence }) => sequence);
    expect(answer.damagedEvents).toBeGreaterThan(1_000);
    expect(answer.events.length).toBeGreaterThan(500);
    expect(all).toContainValues(answer.events.map(({ id }) => Number(id)));
    expect(answer.events.length + answer.damagedEvents).toBeGreaterThanOrEqual(all.length);
  });

  test("an export has all other events", async () => {
    using store = damagedStore(damage);
    let lines = 0;
    for (let rest: { from: number; to: number } | undefined = { from: 0, to: count + 1 }; rest; ) {
      const slice: { events: readonly HistoryEvent[]; rest: { from: number; to: number } | undefined } =
        await store.engine.answer({
          kind: "export",
          query: everything,
          span: rest,
        });
      lines += slice.events.length;
      rest = slice.rest;
    }
    const { events: found } = await store.engine.answer({
      kind: "events",
      query: everything,
      page: { limit: count },
    });
    expect(lines).toBe(found.length);
  });

  test("a damaged event is not found by its number", async () => {
    using store = damagedStore(flipped("docs", "z"));
    expect(await store.engine.answer({ kind: "event", number: 1 })).toBeUndefined();
  });
});

test.each([
  ["of another kind", (_: string) => Buffer.from("another kind ".repeat(10_000))],
  ["without content", () => Buffer.alloc(0)],
  ["with overwritten pages", (path: string) => overwritten(path)],
])("a file %s is skipped and its events are counted as damaged", async (_, contentOf) => {
  using store = temporaryFolder();
  writeStore(store.path, events, { maxFileBytes: 400_000 }).close();
  const [first = "", second = ""] = eventFiles(store.path).toSorted((a, b) => rowOf(a) - rowOf(b));
  const content = await contentOf(join(store.path, first));
  await Bun.write(join(store.path, first), content);
  const engine = new QueryEngine(store.path);
  const lost = rowOf(second) - 1;
  await expectAllFound(engine, events.slice(lost), lost);
  expect(await engine.answer({ kind: "coverage" })).toMatchObject({
    events: count - lost,
    damagedEvents: lost,
  });
  engine.close();
});

test("a file of a newer format is skipped", async () => {
  using store = damagedStore((file) => file.run("UPDATE meta SET v = 99 WHERE k = 'format'"));
  expect(await store.engine.answer({ kind: "count", query: everything })).toMatchObject({ events: 0 });
});

function rowOf(name: string): number {
  return Number(name.split(/[-.]/)[3]);
}

/** The header stays, so that it looks like a database. */
async function overwritten(path: string): Promise<Buffer> {
  const content = Buffer.from(await Bun.file(path).arrayBuffer());
  return content.fill(0x55, 100);
}
