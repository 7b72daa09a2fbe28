import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deliveredLine, recordLine } from "../../../server/outputs/dead-letters/record.ts";
import { RecordIndex } from "../../../server/outputs/dead-letters/record-index.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "loom-record-index-"));
});

afterEach(() => rmSync(dir, { recursive: true }));

const record = (sequence: number, reason = "bad") =>
  recordLine({ event: storedEvent(sequence), reason, output: "stub", time: 0 });

async function indexOf(lines: readonly (Buffer | string)[]): Promise<RecordIndex> {
  const path = join(dir, "file");
  writeFileSync(path, Buffer.concat(lines.map((line) => Buffer.from(line))));
  const file = await open(path, "r");
  try {
    return await RecordIndex.read(file);
  } finally {
    await file.close();
  }
}

test("an empty file has no records and no bytes", async () => {
  const index = await indexOf([]);
  expect([index.recordCount, index.damagedCount, index.fileBytes, index.liveBytes]).toEqual([0, 0, 0, 0]);
});

test("a file is read with the place of each record", async () => {
  const [first, second] = [record(7), record(3, "another reason")];
  const index = await indexOf([first, second]);
  expect([...index.sequences()]).toEqual([7, 3]);
  expect(index.spanOf(7)).toEqual({ offset: 0, length: first.length });
  expect(index.spanOf(3)).toEqual({ offset: first.length, length: second.length });
  expect(index.spanOf(5)).toBeUndefined();
  expect([index.has(3), index.has(5)]).toEqual([true, false]);
  expect([index.fileBytes, index.liveBytes]).toEqual([
    first.length + second.length,
    first.length + second.length,
  ]);
});

test("the last of several records with one sequence number is valid, and counts as the newest", async () => {
  const lines = [record(1, "old"), record(2), record(1, "a new reason")] as const;
  const index = await indexOf(lines);
  expect([...index.sequences()]).toEqual([2, 1]);
  expect(index.spanOf(1)).toEqual({ offset: lines[0].length + lines[1].length, length: lines[2].length });
  expect(index.liveBytes).toBe(lines[1].length + lines[2].length);
});

test("records above a line of delivered events are gone; one below it is there", async () => {
  const note = deliveredLine([1, 2, 99], 0);
  const index = await indexOf([record(1), record(2), record(3), note, record(2)]);
  expect([...index.sequences()]).toEqual([3, 2]);
  expect(index.fileBytes).toBe(4 * record(1).length + note.length);
  expect(index.liveBytes).toBe(2 * record(1).length);
});

test("a damaged line is counted, and is among the lines that a compaction keeps", async () => {
  const index = await indexOf([record(1), "{damaged\n", record(2)]);
  expect([index.recordCount, index.damagedCount]).toEqual([2, 1]);
  expect(index.liveBytes).toBe(index.fileBytes);
  expect(index.liveSpans()).toEqual([
    { offset: record(1).length, length: 9 },
    { offset: 0, length: record(1).length },
    { offset: record(1).length + 9, length: record(2).length },
  ]);
});

test("a torn last line is neither a record nor damaged, and lies behind the end", async () => {
  const index = await indexOf([record(1), record(2).subarray(0, -1)]);
  expect([index.recordCount, index.damagedCount, index.fileBytes]).toEqual([1, 0, record(1).length]);
});

test("a record that is added replaces the one with its sequence number", () => {
  const index = new RecordIndex();
  index.add(1, 100);
  index.add(2, 50);
  index.addNote(30);
  index.add(1, 70);
  expect([...index.sequences()]).toEqual([2, 1]);
  expect(index.spanOf(1)).toEqual({ offset: 180, length: 70 });
  expect([index.fileBytes, index.liveBytes]).toEqual([250, 120]);
});

test("a removed record uses no live bytes, and cannot be removed twice", () => {
  const index = new RecordIndex();
  index.add(1, 100);
  expect([index.remove(1), index.remove(1)]).toEqual([true, false]);
  expect([index.recordCount, index.fileBytes, index.liveBytes]).toEqual([0, 100, 0]);
});

test("the oldest records are removed until the rest fits, and no more", () => {
  const index = new RecordIndex();
  for (const sequence of [5, 4, 3, 2]) index.add(sequence, 10);
  expect(index.removeOldest(40)).toBe(0);
  expect(index.removeOldest(20)).toBe(2);
  expect([...index.sequences()]).toEqual([3, 2]);
  expect(index.removeOldest(19)).toBe(1);
  expect(index.removeOldest(-1)).toBe(1);
  expect([index.recordCount, index.liveBytes]).toEqual([0, 0]);
});

test("damaged lines are removed before any record, and are not counted as records", async () => {
  const index = await indexOf([record(1), "{damaged\n", "{again\n"]);
  expect(index.removeOldest(record(1).length + 7)).toBe(0);
  expect([index.recordCount, index.damagedCount]).toEqual([1, 1]);
  expect(index.removeOldest(record(1).length)).toBe(0);
  expect([index.recordCount, index.damagedCount]).toEqual([1, 0]);
});

test("a compacted index has the same lines one after the other, damaged lines first", async () => {
  const index = await indexOf([record(1), "{damaged\n", record(2), record(3)]);
  index.remove(2);
  const compacted = index.compacted();
  expect(compacted.liveSpans()).toEqual([
    { offset: 0, length: 9 },
    { offset: 9, length: record(1).length },
    { offset: 9 + record(1).length, length: record(3).length },
  ]);
  expect([...compacted.sequences()]).toEqual([1, 3]);
  expect([compacted.damagedCount, compacted.fileBytes]).toEqual([1, compacted.liveBytes]);
  expect(compacted.liveBytes).toBe(index.liveBytes);
});
