import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type VerifiedFile, verifyFile } from "../../../server/store/inspect/verify-file.ts";
import { listFiles } from "../../../server/store/store-directory.ts";
import { dayMs, eventsOf, openWriter, startMs, temporaryFolder } from "../stores.ts";

setDefaultTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;

/** A closed file with 3,000 rows, and the newest one, which has chunks and a tail and is not open. */
beforeEach(() => {
  folder = temporaryFolder();
  using store = openWriter(folder.path);
  for (let first = 1; first <= 3_000; first += 500) store.writer.append("outbox-1", eventsOf(first, 500));
  store.writer.append("outbox-1", eventsOf(3_001, 600, startMs + dayMs));
  store.writer.append("outbox-1", eventsOf(3_601, 10, startMs + dayMs));
});

afterEach(() => folder[Symbol.dispose]());

function verify(at: number): VerifiedFile {
  const name = listFiles(folder.path)[at];
  if (!name) throw new Error(`there is no file ${at}`);
  const steps = verifyFile(folder.path, name);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    expect(step.value).toBeWithin(0, 1.000001);
  }
}

function pathOf(at: number): string {
  return join(folder.path, listFiles(folder.path)[at]?.name ?? "");
}

/** Changes a byte in the middle of a blob, so that SQLite's pages are intact. */
function flipBlob(at: number, table: string, column: string, where: string): void {
  using database = new Database(pathOf(at), { readwrite: true, create: false });
  const row = database.query(`SELECT ${column} AS z FROM ${table} WHERE ${where}`).get() as { z: Uint8Array };
  row.z[row.z.length >> 1] = (row.z[row.z.length >> 1] ?? 0) ^ 0xff;
  database.query(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(row.z);
}

test("a closed file and the newest one are intact, and all rows are counted", () => {
  expect([verify(0), verify(1)]).toEqual([
    { rows: 3_000, damage: [], skipped: undefined },
    { rows: 610, damage: [], skipped: undefined },
  ]);
});

test("the file that is written now is intact", () => {
  using store = openWriter(folder.path);
  store.writer.append("outbox-1", eventsOf(3_611, 90, startMs + dayMs));
  expect(verify(1)).toEqual({ rows: 700, damage: [], skipped: undefined });
  store.writer.append("outbox-1", eventsOf(3_701, 10, startMs + 2 * dayMs));
  expect(listFiles(folder.path).length).toBe(3);
});

describe("a changed byte is found in", () => {
  const cases = [
    [0, "docs", "z", "row = 513", "documents", 513, 512],
    [1, "docs", "z", "row = 3001", "documents", 3_001, 512],
    [1, "tail", "z", "row = 3601", "documents", 3_601, 10],
    [0, "seg", "times", "row = 1", "times", 1, 3_000],
    [0, "col", "dict", "seg = 1 AND c = 'port'", "columns", 1, 3_000],
    [0, "col", "codes", "seg = 1 AND c = 'ip'", "columns", 1, 3_000],
    [0, "grams", "z", "row = 2049", "trigrams", 2_049, 952],
  ] as const;
  for (const [at, table, column, where, kind, first, count] of cases)
    test(`${table}.${column} of the ${at === 0 ? "closed" : "newest"} file`, () => {
      flipBlob(at, table, column, where);
      const { rows, damage } = verify(at);
      expect(rows).toBe(at === 0 ? 3_000 : 610);
      expect(damage.map((one) => [one.kind, one.rows])).toEqual([[kind, { first, count }]]);
      expect(verify(1 - at).damage).toEqual([]);
    });
});

test("a missing chunk is found", () => {
  {
    using database = new Database(pathOf(0), { readwrite: true, create: false });
    database.run("DELETE FROM docs WHERE row IN (513, 1025)");
  }
  expect(verify(0).damage).toEqual([
    { kind: "documents", rows: { first: 513, count: 1_024 }, reason: "they are missing" },
  ]);
});

test("damaged pages are found, also where no blob is", () => {
  {
    using database = new Database(pathOf(0), { readwrite: true, create: false });
    database.run("DROP INDEX col_c_seg");
    database.run("CREATE UNIQUE INDEX col_c_seg ON col (c, seg)");
  }
  const bytes = readFileSync(pathOf(0));
  const name = Buffer.from("community_id");
  const at = bytes.lastIndexOf(name);
  expect(at).toBeGreaterThan(0);
  bytes.write("communitY_id", at, "latin1");
  writeFileSync(pathOf(0), bytes);
  expect(verify(0).damage.map(({ kind }) => kind)).toContain("pages");
});

test("of a file that is cut off or not SQLite's, the whole file or its pages are damaged", () => {
  truncateSync(pathOf(0), 8_192 * 2);
  expect(verify(0).damage.length).toBeGreaterThan(0);
  writeFileSync(pathOf(1), "x".repeat(100_000));
  expect(verify(1).damage.map(({ kind }) => kind)).toEqual(["file"]);
});

test("a file of a newer format is skipped", () => {
  {
    using database = new Database(pathOf(0), { readwrite: true, create: false });
    database.run("UPDATE meta SET v = 99 WHERE k = 'format'");
  }
  expect(verify(0)).toEqual({ rows: 0, damage: [], skipped: "it has format 99; this Loom reads format 1" });
});

test("a file that was removed is not damaged", () => {
  const [name] = listFiles(folder.path);
  rmSync(pathOf(0));
  if (!name) throw new Error("there is no file");
  expect(verifyFile(folder.path, name).next().value).toEqual({ rows: 0, damage: [], skipped: undefined });
});
