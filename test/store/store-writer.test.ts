import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { checkSegments, documentsOf, eventFiles, readStore, storeFiles } from "../support/store-reader.ts";
import { dayMs, documents, eventsOf, openWriter, startMs, temporaryFolder } from "./stores.ts";

const outbox = "outbox-1";

/** Each test writes thousands of events and syncs them. */
setDefaultTimeout(60_000);

test("events are read as they were stored, with their times and sensors", () => {
  using folder = temporaryFolder();
  {
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 3));
  }
  expect(readStore(folder.path).rows).toEqual(
    eventsOf(1, 3).map(({ sequence, receivedAt, sensorId, document }) => ({
      row: sequence,
      receivedAt,
      sensorId,
      document: document.toString(),
    })),
  );
});

test("only the owner can read the files and what SQLite keeps beside them", () => {
  using folder = temporaryFolder();
  using store = openWriter(folder.path);
  store.writer.append(outbox, eventsOf(1, 3));
  const modes = readdirSync(folder.path).map((name) => [
    name,
    (statSync(join(folder.path, name)).mode & 0o777).toString(8),
  ]);
  expect(modes.toSorted()).toEqual([
    ["2026-11-03-1.db", "600"],
    ["2026-11-03-1.db-shm", "600"],
    ["2026-11-03-1.db-wal", "600"],
    ["first-seen.db", "600"],
    ["first-seen.db-shm", "600"],
    ["first-seen.db-wal", "600"],
  ]);
});

test("an empty delivery stores nothing and makes no file", () => {
  using folder = temporaryFolder();
  using store = openWriter(folder.path);
  store.writer.append(outbox, []);
  expect(readdirSync(folder.path)).toEqual([]);
});

for (const [size, total] of [
  [1, 1_200],
  [511, 17_000],
  [513, 17_000],
  [20_000, 20_000],
] as const)
  test(`events in deliveries of ${size} are stored once, and segments agree with them`, () => {
    using folder = temporaryFolder();
    {
      using store = openWriter(folder.path);
      for (let first = 1; first <= total; first += size)
        store.writer.append(outbox, eventsOf(first, Math.min(size, total + 1 - first)));
      store.writer.append(outbox, eventsOf(total + 1, 1, startMs + dayMs));
    }
    expect(documentsOf(folder.path)).toEqual(documents(1, total + 1));
    expect(checkSegments(folder.path)).toBe(total);
  });

test("chunks end where segments and bitmaps of trigrams end, and tails are joined to them", () => {
  using folder = temporaryFolder();
  using store = openWriter(folder.path);
  for (let first = 1; first < 17_000; first += 300) store.writer.append(outbox, eventsOf(first, 300));
  using database = new Database(join(folder.path, storeFiles(folder.path)[0] ?? ""), { readonly: true });
  const counts = database.query<{ n: number }, []>("SELECT n FROM docs").values().flat();
  expect(new Set(counts)).toEqual(new Set([512]));
  expect(database.query("SELECT row, n FROM seg").values()).toEqual([[1, 16_384]]);
  expect(database.query("SELECT sum(n) FROM grams").values()).toEqual([[16_384]]);
  expect(database.query("SELECT min(row), sum(n) FROM tail").values()).toEqual([[16_897, 17_100 - 16_896]]);
});

test("a chunk ends at 4 MiB, and a larger document is a chunk of its own", () => {
  using folder = temporaryFolder();
  const sizes = [10, 1_000_000, 3_500_000, 5_000_000, 20];
  const events = eventsOf(1, sizes.length).map((event, i) => ({
    ...event,
    document: Buffer.from(JSON.stringify({ n: "x".repeat(sizes[i] ?? 0) })),
  }));
  using store = openWriter(folder.path);
  store.writer.append(outbox, events);
  using database = new Database(join(folder.path, storeFiles(folder.path)[0] ?? ""), { readonly: true });
  expect(database.query("SELECT row, n FROM docs").values()).toEqual([
    [1, 2],
    [3, 1],
    [4, 1],
  ]);
  expect(documentsOf(folder.path)).toEqual(events.map(({ document }) => document.toString()));
});

test("a segment whose values take up too much memory ends early", () => {
  using folder = temporaryFolder();
  const events = (first: number) =>
    eventsOf(first, 2_048).map((event) => ({
      ...event,
      document: Buffer.from(
        JSON.stringify({
          tags: Array.from({ length: 32 }, (_, i) => `${event.sequence}-${i}`.padEnd(64, "x")),
        }),
      ),
    }));
  using store = openWriter(folder.path);
  for (let first = 1; first < 16_384; first += 2_048) store.writer.append(outbox, events(first));
  using database = new Database(join(folder.path, storeFiles(folder.path)[0] ?? ""), { readonly: true });
  expect(database.query("SELECT count(*) FROM seg").values()).toEqual([[1]]);
  expect(database.query<[number], []>("SELECT n FROM seg").values()[0]?.[0]).toBeLessThan(16_384);
});

test("an event that is not the JSON of this engine is stored and found by its text", () => {
  using folder = temporaryFolder();
  using store = openWriter(folder.path);
  const document = Buffer.from('{"a":"NEEDLE"');
  store.writer.append(outbox, [{ sequence: 1, receivedAt: startMs, sensorId: "s", document }]);
  expect(documentsOf(folder.path)).toEqual([document.toString()]);
  expect(store.messages()).toEqual([
    "error BUG: an event cannot be indexed; it is stored, and found by its text only",
  ]);
});

describe("a delivery that is repeated", () => {
  test("is stored once", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 10));
    store.writer.append(outbox, eventsOf(1, 10));
    expect(documentsOf(folder.path)).toEqual(documents(1, 10));
  });

  test("is stored from the event on that is not stored yet", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 10));
    store.writer.append(outbox, eventsOf(5, 10));
    expect(documentsOf(folder.path)).toEqual(documents(1, 14));
  });

  test("is stored once also after a restart, and if the last event is in an earlier file", () => {
    using folder = temporaryFolder();
    {
      using store = openWriter(folder.path, { maxFileBytes: 1 });
      store.writer.append(outbox, eventsOf(1, 10));
    }
    using store = openWriter(folder.path, { maxFileBytes: 1 });
    store.writer.append(outbox, eventsOf(1, 10));
    store.writer.append(outbox, eventsOf(11, 1));
    rmSync(join(folder.path, storeFiles(folder.path)[1] ?? ""));
    store.writer.append(outbox, eventsOf(5, 6));
    expect(documentsOf(folder.path)).toEqual(documents(1, 10));
  });

  test("is another one if it is from another outbox", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 3));
    store.writer.append("outbox-2", eventsOf(1, 2));
    expect(documentsOf(folder.path)).toEqual([...documents(1, 3), ...documents(1, 2)]);
  });
});

describe("another file begins", () => {
  const daysOf = (dir: string) => storeFiles(dir).map((name) => name.slice(0, 10));

  test("on each day of receipt, also within a delivery", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    const second = eventsOf(3, 2, startMs + dayMs);
    store.writer.append(outbox, [...eventsOf(1, 2), ...second, ...eventsOf(5, 1, startMs + 3 * dayMs)]);
    expect(storeFiles(folder.path)).toEqual(["2026-11-03-1.db", "2026-11-04-3.db", "2026-11-06-5.db"]);
    expect(documentsOf(folder.path)).toEqual(documents(1, 5));
  });

  test("when a file has its largest size", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path, { maxFileBytes: 200_000 });
    for (let first = 1; first < 10_000; first += 500) store.writer.append(outbox, eventsOf(first, 500));
    expect(storeFiles(folder.path).length).toBeGreaterThan(1);
    expect(documentsOf(folder.path)).toEqual(documents(1, 10_000));
  });

  test("not when the clock is set back by a day, but when it is set back by more", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 1));
    store.writer.append(outbox, eventsOf(2, 1, startMs - dayMs));
    store.writer.append(outbox, eventsOf(3, 1, startMs - 2 * dayMs));
    store.writer.append(outbox, eventsOf(4, 1));
    expect(daysOf(folder.path)).toEqual(["2026-11-03", "2026-11-01", "2026-11-03"]);
    expect(documentsOf(folder.path)).toEqual(documents(1, 4));
  });

  test("and the one before is one plain file then", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 700));
    store.writer.append(outbox, eventsOf(701, 1, startMs + dayMs));
    const [first = ""] = storeFiles(folder.path);
    expect(readdirSync(folder.path).filter((name) => name.startsWith(first))).toEqual([first]);
    // https://www.sqlite.org/fileformat.html: without a log.
    expect(readFileSync(join(folder.path, first))[18]).toBe(1);
    expect(checkSegments(folder.path)).toBe(700);
  });

  test("and the one before is made plain later if a reader uses it", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 700));
    const [first = ""] = storeFiles(folder.path);
    const reader = new Database(join(folder.path, first), { readonly: true });
    reader.query("SELECT count(*) FROM docs").get();
    store.writer.append(outbox, eventsOf(701, 1, startMs + dayMs));
    reader.close();
    store.writer.maintain();
    expect(readdirSync(folder.path).filter((name) => name.startsWith(first))).toEqual([first]);
    expect(store.writer.report.events).toBe(701);
  });
});

describe("somebody removes, while Loom runs,", () => {
  test("an older file: the others are used", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    store.writer.append(outbox, [...eventsOf(1, 5), ...eventsOf(6, 5, startMs + dayMs)]);
    rmSync(join(folder.path, storeFiles(folder.path)[0] ?? ""));
    store.writer.maintain();
    store.writer.append(outbox, eventsOf(11, 5, startMs + dayMs));
    expect(documentsOf(folder.path)).toEqual(documents(6, 10));
    expect(store.writer.report).toMatchObject({ events: 10, files: 1 });
    expect(store.messages()).toEqual(["warn somebody removed a file of the store"]);
  });

  test("the newest file: another one begins with a later number", () => {
    using folder = temporaryFolder();
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 5));
    for (const name of readdirSync(folder.path)) rmSync(join(folder.path, name));
    store.writer.append(outbox, eventsOf(6, 5));
    expect(readStore(folder.path).rows.map(({ row }) => row)).toEqual([6, 7, 8, 9, 10]);
    expect(documentsOf(folder.path)).toEqual(documents(6, 5));
  });

  test("the log of the newest file: nothing is lost", () => {
    using folder = temporaryFolder();
    {
      using store = openWriter(folder.path);
      store.writer.append(outbox, eventsOf(1, 5));
      rmSync(join(folder.path, `${storeFiles(folder.path)[0]}-wal`));
      store.writer.append(outbox, eventsOf(6, 5));
    }
    expect(documentsOf(folder.path)).toEqual(documents(1, 10));
  });

  test("the directory: it is made again", () => {
    using folder = temporaryFolder();
    const dir = join(folder.path, "store");
    using store = openWriter(dir);
    store.writer.append(outbox, eventsOf(1, 5));
    renameSync(dir, join(folder.path, "moved"));
    store.writer.append(outbox, eventsOf(6, 5));
    expect(documentsOf(dir)).toEqual(documents(6, 5));
  });
});

test("what another writer has stored meanwhile is neither lost nor stored twice", () => {
  using folder = temporaryFolder();
  using first = openWriter(folder.path);
  first.writer.append(outbox, eventsOf(1, 100));
  using second = openWriter(folder.path);
  first.writer.append(outbox, eventsOf(101, 100));
  expect(() => second.writer.append(outbox, eventsOf(101, 200))).toThrow(
    "another connection has written to it",
  );
  second.writer.append(outbox, eventsOf(101, 200));
  expect(documentsOf(folder.path)).toEqual(documents(1, 300));
});

test("a store that is opened again continues with the same file", () => {
  using folder = temporaryFolder();
  for (let first = 1; first < 3_000; first += 100) {
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(first, 100));
  }
  expect(storeFiles(folder.path)).toEqual(["2026-11-03-1.db"]);
  expect(documentsOf(folder.path)).toEqual(documents(1, 3_000));
});

test("a store that is closed has no logs", () => {
  using folder = temporaryFolder();
  openWriter(folder.path)[Symbol.dispose]();
  {
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 600));
  }
  expect(readdirSync(folder.path).toSorted()).toEqual(["2026-11-03-1.db", "first-seen.db"]);
});

test("the report has the events and bytes of all files", () => {
  using folder = temporaryFolder();
  using store = openWriter(folder.path);
  store.writer.append(outbox, [...eventsOf(1, 50), ...eventsOf(51, 50, startMs + dayMs)]);
  const bytes = eventFiles(folder.path)
    .filter((name) => !name.endsWith("-shm"))
    .reduce((sum, name) => sum + statSync(join(folder.path, name)).size, 0);
  expect(store.writer.report).toEqual({
    files: 2,
    events: 100,
    sizeBytes: bytes,
    expiredEvents: 0,
    damagedEvents: 0,
  });
});

test("files that are not the store's are left alone", () => {
  using folder = temporaryFolder();
  const names = ["2026-13-01-1.db", "notes.txt", "2026-11-03.db", "2026-11-03-0.db"];
  for (const name of names) mkdirSync(join(folder.path, name));
  using store = openWriter(folder.path);
  store.writer.append(outbox, eventsOf(1, 5));
  expect(readdirSync(folder.path)).toEqual(expect.arrayContaining(names));
  expect(store.messages()).toEqual([]);
});
