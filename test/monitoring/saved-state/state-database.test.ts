import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { numberKey, type SavedEntry } from "../../../server/monitoring/saved-state/saved-entries.ts";
import {
  openStateDatabase,
  stateFormat,
  type Write,
} from "../../../server/monitoring/saved-state/state-database.ts";
import { createRandom } from "../../support/random.ts";

const root = mkdtempSync(join(tmpdir(), "loom-state-database-"));
afterAll(() => rmSync(root, { recursive: true }));
let files = 0;
const newPath = () => join(root, `${++files}.db`);

const write = (kind: string, key: string, json: string | undefined): Write => ({ kind, key, json });

/** A closed file with these entries. */
function fileWith(entries: readonly SavedEntry[]): string {
  const path = newPath();
  const { database } = openStateDatabase(path);
  database.write(
    entries.map(([kind, key, json]) => write(kind, key, json)),
    [],
  );
  database.close();
  return path;
}

function entriesOf(path: string): readonly SavedEntry[] {
  const { database, entries } = openStateDatabase(path);
  database.close();
  return entries;
}

function flip(bytes: Buffer, at: number, bit: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
}

/** Bytes of the whole file and its WAL file. */
function sizeOf(path: string): number {
  return [path, `${path}-wal`].reduce(
    (sum, name) => sum + (statSync(name, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

describe("entries", () => {
  test("are read in the order of their kinds and keys", () => {
    const path = fileWith([
      ["b", numberKey(10), '{"x":1}'],
      ["b", numberKey(9), "2"],
      ["a", "\u{1f525}", '"\u2028"'],
    ]);
    expect(entriesOf(path)).toEqual([
      ["a", "\u{1f525}", '"\u2028"'],
      ["b", numberKey(9), "2"],
      ["b", numberKey(10), '{"x":1}'],
    ]);
  });

  test("are replaced, removed by their key, and removed below a key", () => {
    const path = newPath();
    const { database } = openStateDatabase(path);
    database.write(
      [write("s", "1", "1"), write("s", "2", "2"), write("s", "3", "3"), write("t", "1", "1")],
      [],
    );
    database.write([write("s", "3", "33"), write("t", "1", undefined)], [{ kind: "s", below: "2" }]);
    database.close();
    expect(entriesOf(path)).toEqual([
      ["s", "2", "2"],
      ["s", "3", "33"],
    ]);
  });

  test("that were written are there if the file was not closed", () => {
    const path = newPath();
    const { database } = openStateDatabase(path);
    database.write([write("s", "1", "1")], []);
    const copy = newPath();
    for (const end of ["", "-wal"]) copyFileSync(path + end, copy + end);
    database.close();
    expect(entriesOf(copy)).toEqual([["s", "1", "1"]]);
  });
});

describe("a file", () => {
  test("of a newer format is renamed and stays as it is", () => {
    const path = fileWith([["s", "1", "1"]]);
    const sqlite = new Database(path);
    sqlite.run(`PRAGMA user_version = ${stateFormat + 1}`);
    sqlite.close();
    const { database, entries, renamed } = openStateDatabase(path);
    database.close();
    expect(entries).toEqual([]);
    expect(renamed).toEqual({
      path: `${path}.newer`,
      reason: `it has format ${stateFormat + 1}; this version of Loom has ${stateFormat}`,
    });
    const newer = new Database(`${path}.newer`);
    expect(newer.query("SELECT count(*) AS n FROM entries").get()).toEqual({ n: 1 });
    newer.close();
  });

  test("of another program is renamed", () => {
    const path = newPath();
    const sqlite = new Database(path);
    sqlite.run("CREATE TABLE other (a)");
    sqlite.close();
    const { database, renamed } = openStateDatabase(path);
    database.close();
    expect(renamed).toEqual({ path: `${path}.damaged`, reason: "Loom did not write it" });
  });

  test("that is empty is used, and that is in use is not renamed", () => {
    const path = newPath();
    writeFileSync(path, "");
    const { database, renamed } = openStateDatabase(path);
    expect(renamed).toBeUndefined();
    expect(() => openStateDatabase(path)).toThrow("locked");
    expect(existsSync(`${path}.damaged`)).toBe(false);
    database.close();
  });

  test("with damaged bytes is read as far as it is right, or renamed; no wrong value is read", () => {
    const random = createRandom(4);
    const wanted = Array.from(
      { length: 60 },
      (_, i): SavedEntry => [
        "kind",
        numberKey(i),
        JSON.stringify(Array.from({ length: 40 }, () => random.below(1e9))),
      ],
    );
    const right = new Map(wanted.map(([, key, json]) => [key, json]));
    const whole = readFileSync(fileWith(wanted));
    const outcomes = { whole: 0, partly: 0, renamed: 0 };
    for (let round = 0; round < 150; round++) {
      const bytes = Buffer.from(whole);
      for (let flips = 1 + random.below(4); flips > 0; flips--)
        flip(bytes, random.below(bytes.length), random.below(8));
      const path = newPath();
      writeFileSync(path, bytes);
      const { database, entries, damagedEntries, renamed } = openStateDatabase(path);
      database.write([write("new", "1", "1")], []);
      database.close();
      for (const [kind, key, json] of entries)
        if (kind === "kind" && right.has(key)) expect(json).toBe(right.get(key) ?? "");
      if (renamed) outcomes.renamed++;
      else if (damagedEntries > 0) outcomes.partly++;
      else outcomes.whole++;
    }
    expect(outcomes.renamed).toBeGreaterThan(5);
    expect(outcomes.partly).toBeGreaterThan(5);
  }, 60_000);

  test("that was cut off is renamed", () => {
    const path = fileWith(
      Array.from(
        { length: 300 },
        (_, i): SavedEntry => ["s", numberKey(i), JSON.stringify(crypto.randomUUID().repeat(20))],
      ),
    );
    truncateSync(path, 12_288);
    const { database, renamed } = openStateDatabase(path);
    database.close();
    expect(renamed?.path).toBe(`${path}.damaged`);
  });
});

describe("the size", () => {
  const noise = (random: ReturnType<typeof createRandom>, length: number) =>
    JSON.stringify(Array.from({ length }, () => random.below(2 ** 31)));

  test("stays below the limit: the oldest steps and slices are removed first, sensors are not", () => {
    const path = newPath();
    const maxBytes = 2 * 1024 * 1024;
    const random = createRandom(8);
    const { database } = openStateDatabase(path, maxBytes);
    for (let i = 0; i < 400; i++) {
      database.write(
        [
          write("steps 1h", numberKey(i), noise(random, 2_000)),
          write("sensor times", `s${i}`, noise(random, 50)),
        ],
        [],
      );
      expect(sizeOf(path)).toBeLessThan(maxBytes + 2 * 1024 * 1024);
    }
    database.close();
    expect(sizeOf(path)).toBeLessThanOrEqual(maxBytes);
    const keys = (wanted: string) =>
      entriesOf(path)
        .filter(([kind]) => kind === wanted)
        .map(([, key]) => key);
    expect(keys("sensor times")).toHaveLength(400);
    const steps = keys("steps 1h");
    expect(steps.length).toBeGreaterThan(50);
    expect(steps.at(-1)).toBe(numberKey(399));
    expect(steps).toEqual(Array.from({ length: steps.length }, (_, i) => numberKey(400 - steps.length + i)));
  }, 60_000);

  test("cannot be exceeded by entries that must not be removed: writing fails, and reading works", () => {
    const path = newPath();
    const random = createRandom(8);
    const { database } = openStateDatabase(path, 256 * 1024);
    const fill = () => {
      for (let i = 0; i < 200; i++)
        database.write([write("sensor times", `s${i}`, noise(random, 1_000))], []);
    };
    expect(fill).toThrow("full");
    database.write([write("sensor times", "s0", "1")], []);
    database.close();
    expect(entriesOf(path).find(([, key]) => key === "s0")).toEqual(["sensor times", "s0", "1"]);
    expect(sizeOf(path)).toBeLessThanOrEqual(256 * 1024);
  }, 60_000);
});
