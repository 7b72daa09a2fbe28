import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { maxRowsPerFile } from "../../server/store/store-file-name.ts";
import { documentsOf, readStore, storeFiles } from "../support/store-reader.ts";
import { dayMs, documents, eventsOf, openWriter, startMs, temporaryFolder } from "./stores.ts";

const outbox = "outbox-1";

/** Each test writes thousands of events and syncs them. */
setDefaultTimeout(60_000);
const storedEvents = 2_300;
const nextDay = startMs + dayMs;

/** A store with one file that has chunks and a tail, but no segment. */
function storeWithRows(events = storedEvents) {
  const folder = temporaryFolder();
  using store = openWriter(folder.path);
  for (let first = 1; first <= events; first += 100) store.writer.append(outbox, eventsOf(first, 100));
  return folder;
}

function newestPath(dir: string): string {
  return join(dir, storeFiles(dir).at(-1) ?? "");
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
}

/** Changes a byte in the middle of a blob. */
function flipBlob(dir: string, table: string, column: string, row: number): void {
  using database = new Database(newestPath(dir), { readwrite: true });
  const found = database
    .query(`SELECT rowid AS id, ${column} AS z FROM ${table} ORDER BY 1 LIMIT 1 OFFSET ?`)
    .get(row);
  const { id, z } = found as { id: number; z: Uint8Array };
  z[z.length >> 1] = (z[z.length >> 1] ?? 0) ^ 0xff;
  database.query(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(z, id);
}

describe("of rows that no segment has, in a damaged", () => {
  test("chunk, only its rows are lost, and segments are around it", () => {
    using folder = storeWithRows();
    flipBlob(folder.path, "docs", "z", 1);
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(storedEvents + 1, 10));
    store.writer.append(outbox, eventsOf(storedEvents + 11, 1, nextDay));
    const { rows, damaged } = readStore(folder.path);
    expect(damaged).toEqual(Array.from({ length: 512 }, (_, i) => 513 + i));
    expect(rows.map(({ document }) => document)).toEqual([
      ...documents(1, 512),
      ...documents(1_025, storedEvents + 11 - 1_024),
    ]);
    using database = new Database(join(folder.path, storeFiles(folder.path)[0] ?? ""), { readonly: true });
    expect(database.query("SELECT row, n FROM seg").values()).toEqual([
      [1, 512],
      [1_025, storedEvents + 10 - 1_024],
    ]);
    expect(store.writer.report.damagedEvents).toBe(512);
    expect(store.messages()).toEqual(["error events of the store are damaged and cannot be read"]);
  });

  test("tail, only its rows are lost, also when it is opened several times", () => {
    using folder = storeWithRows();
    flipBlob(folder.path, "tail", "z", 1);
    const damagedTimes = [0, 1, 2].map((i) => {
      using store = openWriter(folder.path);
      store.writer.append(outbox, eventsOf(storedEvents + 1 + 300 * i, 300));
      return store.writer.report.damagedEvents;
    });
    const { rows, damaged } = readStore(folder.path);
    expect(damaged.length).toBe(100);
    const [first = 0] = damaged;
    const after = first + 100;
    expect(rows.map(({ document }) => document)).toEqual([
      ...documents(1, first - 1),
      ...documents(after, storedEvents + 900 - after + 1),
    ]);
    expect(damagedTimes).toEqual([100, 100, 100]);
  });
});

describe("damage in a part that only searches read does not stop the writer:", () => {
  for (const [table, column] of [
    ["docs", "z"],
    ["seg", "times"],
    ["col", "dict"],
    ["col", "codes"],
    ["grams", "z"],
  ] as const)
    test(`${table}.${column}`, () => {
      using folder = temporaryFolder();
      {
        using store = openWriter(folder.path);
        store.writer.append(outbox, eventsOf(1, 16_384));
      }
      flipBlob(folder.path, table, column, 0);
      using store = openWriter(folder.path);
      store.writer.append(outbox, eventsOf(16_385, 1));
      expect(documentsOf(folder.path).length).toBe(table === "docs" ? 16_385 - 512 : 16_385);
      expect(store.messages()).toEqual([]);
    });
});

test("whatever byte of the newest file is changed, the next event is stored once, and no event is changed", () => {
  using folder = storeWithRows(700);
  const known = new Set(documents(1, 701));
  const size = statSync(newestPath(folder.path)).size;
  // Each part of the first pages, which have the tables and their roots, and some bytes of every other page.
  const offsets = [
    ...Array.from({ length: 110 }, (_, i) => i),
    ...Array.from({ length: 150 }, (_, i) => 110 + Math.floor((i * (size - 110)) / 150)),
  ];
  for (const offset of offsets) {
    using copy = temporaryFolder();
    cpSync(folder.path, copy.path, { recursive: true });
    flip(newestPath(copy.path), offset);
    using store = openWriter(copy.path);
    store.writer.append(outbox, eventsOf(701, 1));
    const { rows } = readStore(copy.path);
    const read = rows.map(({ document }) => document);
    expect(`${offset}: ${read.filter((document) => !known.has(document)).length}`).toBe(`${offset}: 0`);
    expect(read.filter((document) => document === documents(701, 1)[0]).length).toBe(1);
  }
});

describe("a log that is", () => {
  /** A copy of a store as a kill leaves it, with a log. */
  function killedStore() {
    const folder = temporaryFolder();
    using original = temporaryFolder();
    using store = openWriter(original.path);
    for (let first = 1; first <= 1_000; first += 100) store.writer.append(outbox, eventsOf(first, 100));
    cpSync(original.path, folder.path, { recursive: true });
    return folder;
  }
  const damages = {
    "cut off": (path: string, at: number) => truncateSync(path, at),
    "changed in one byte": (path: string, at: number) => flip(path, at),
  };
  for (const [what, damage] of Object.entries(damages))
    test(`${what} leaves whole deliveries, and those after it can be stored again`, () => {
      using folder = killedStore();
      const size = statSync(`${newestPath(folder.path)}-wal`).size;
      for (let i = 0; i < 40; i++) {
        using copy = temporaryFolder();
        cpSync(folder.path, copy.path, { recursive: true });
        damage(`${newestPath(copy.path)}-wal`, Math.floor((i * size) / 40));
        using store = openWriter(copy.path);
        const { events } = store.writer.report;
        expect(events % 100).toBe(0);
        store.writer.append(outbox, eventsOf(events + 1, 1_100 - events));
        expect(documentsOf(copy.path)).toEqual(documents(1, 1_100));
      }
    });
});

describe("a file", () => {
  /** A store with three days. */
  function storeWithDays() {
    const folder = temporaryFolder();
    using store = openWriter(folder.path);
    for (let day = 0; day < 3; day++)
      store.writer.append(outbox, eventsOf(1 + day * 100, 100, startMs + day * dayMs));
    return folder;
  }
  const ruins = {
    "of garbage": () => Buffer.alloc(200_000, "garbage"),
    "of zeros": () => Buffer.alloc(200_000),
    "that is cut off": (content: Buffer) => content.subarray(0, content.length / 2),
  };

  for (const [what, ruin] of Object.entries(ruins)) {
    test(`${what} is moved to damaged/, counted, and the others are used`, () => {
      using folder = storeWithDays();
      const [, second = ""] = storeFiles(folder.path);
      writeFileSync(join(folder.path, second), ruin(readFileSync(join(folder.path, second))));
      using store = openWriter(folder.path);
      store.writer.append(outbox, eventsOf(301, 10, startMs + 2 * dayMs));
      expect(documentsOf(folder.path)).toEqual([...documents(1, 100), ...documents(201, 110)]);
      expect(readdirSync(join(folder.path, "damaged"))).toEqual([second]);
      expect(store.messages()).toEqual(["error a file of the store is damaged; it is moved to damaged/"]);
      expect(store.writer.report).toMatchObject({ events: 210, damagedEvents: 100 });
    });

    test(`${what}, if it is the newest, is followed by one with numbers that were never used`, () => {
      using folder = storeWithDays();
      const path = newestPath(folder.path);
      writeFileSync(path, ruin(readFileSync(path)));
      {
        // A kill may come before the next file is made.
        using store = openWriter(folder.path);
        expect(store.messages()).toEqual(["error a file of the store is damaged; it is moved to damaged/"]);
      }
      using store = openWriter(folder.path);
      store.writer.append(outbox, eventsOf(301, 10, startMs + 2 * dayMs));
      const { rows } = readStore(folder.path);
      expect(rows.map(({ document }) => document)).toEqual([...documents(1, 200), ...documents(301, 10)]);
      expect(rows.at(-10)?.row).toBe(201 + maxRowsPerFile);
    });
  }

  test("that is damaged while Loom runs is moved to damaged/, and the delivery is stored in another one", () => {
    using folder = storeWithDays();
    {
      using store = openWriter(folder.path);
      store.writer.append(outbox, eventsOf(301, 100, startMs + 2 * dayMs));
      using database = new Database(newestPath(folder.path), { readwrite: true });
      database.run("DROP TABLE tail");
      store.writer.append(outbox, eventsOf(401, 100, startMs + 2 * dayMs));
    }
    expect(documentsOf(folder.path).slice(200)).toEqual(documents(401, 100));
    expect(readdirSync(join(folder.path, "damaged")).length).toBeGreaterThan(0);
  });

  test("of a newer format is not used and not changed", () => {
    using folder = storeWithDays();
    const path = newestPath(folder.path);
    {
      using database = new Database(path, { readwrite: true });
      database.run("UPDATE meta SET v = 2 WHERE k = 'format'");
    }
    const before = readFileSync(path);
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(301, 10, startMs + 2 * dayMs));
    expect(readFileSync(path)).toEqual(before);
    expect(store.messages()).toEqual([
      "warn a file of the store is not used: it has format 2; this Loom reads format 1",
    ]);
    expect(readStore(folder.path).rows.at(-1)?.row).toBe(201 + maxRowsPerFile + 9);
  });

  test("that is a folder is moved to damaged/", () => {
    using folder = storeWithDays();
    mkdirSync(join(folder.path, "2026-11-09-9000.db"));
    mkdirSync(join(folder.path, "2026-11-01-150.db"));
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(301, 10, startMs + 2 * dayMs));
    expect(documentsOf(folder.path)).toEqual(documents(1, 310));
    expect(readdirSync(join(folder.path, "damaged")).length).toBe(2);
  });

  test("that a kill left without rows is removed", () => {
    using folder = storeWithDays();
    writeFileSync(join(folder.path, "2026-11-09-301.db"), "");
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(301, 10, startMs + 2 * dayMs));
    expect(documentsOf(folder.path)).toEqual(documents(1, 310));
    expect(store.messages()).toEqual([]);
  });

  test("that a kill left with a log is closed, and has a segment then", () => {
    using original = temporaryFolder();
    using folder = temporaryFolder();
    {
      using store = openWriter(original.path);
      store.writer.append(outbox, eventsOf(1, 700));
      cpSync(original.path, folder.path, { recursive: true });
    }
    {
      using store = openWriter(original.path);
      store.writer.append(outbox, eventsOf(701, 5, nextDay));
    }
    const second = storeFiles(original.path)[1] ?? "";
    cpSync(join(original.path, second), join(folder.path, second));
    using store = openWriter(folder.path);
    expect(store.writer.report).toMatchObject({ events: 705, files: 2 });
    expect(readdirSync(folder.path).filter((name) => /^2026-11-03/.test(name))).toEqual(["2026-11-03-1.db"]);
    expect(documentsOf(folder.path)).toEqual(documents(1, 705));
  });
});
