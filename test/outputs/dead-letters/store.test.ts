import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deliveredLine, recordLine } from "../../../server/outputs/dead-letters/record.ts";
import { RecordIndex } from "../../../server/outputs/dead-letters/record-index.ts";
import { DeadLetterStore } from "../../../server/outputs/dead-letters/store.ts";
import { recordingLog } from "../../support/log.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

const log = recordingLog();
let dir: string;
let path: string;
let opened: DeadLetterStore[];
let overflows: number[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "loom-store-"));
  path = join(dir, "dead-letters-stub.ndjson");
  opened = [];
  overflows = [];
  log.lines.length = 0;
});

afterEach(async () => {
  for (const store of opened) await store.close();
  rmSync(dir, { recursive: true });
});

async function openStore(maxBytes = 1024 * 1024): Promise<DeadLetterStore> {
  const onOverflow = (records: number) => void overflows.push(records);
  const store = await DeadLetterStore.open({ path, maxBytes, log, onOverflow });
  opened.push(store);
  return store;
}

const record = (sequence: number, reason = "bad") => ({
  sequence,
  line: recordLine({ event: storedEvent(sequence), reason, output: "stub", time: 0 }),
});
const lineBytes = record(1).line.length;
const content = () => readFileSync(path, "utf8");
const linesOf = (...sequences: readonly number[]) =>
  sequences.map((sequence) => record(sequence).line).join("");

test("records are read from the file, also after a restart", async () => {
  await (await openStore()).addRecords([record(1), record(2, "another reason")]);
  const store = await openStore();
  expect(await store.read(2)).toMatchObject({
    event: storedEvent(2),
    reason: "another reason",
    output: "stub",
  });
  expect(await store.read(3)).toBeUndefined();
  expect([...store.sequences()]).toEqual([1, 2]);
  expect(store.waiting()).toEqual({ events: 2, bytes: content().length });
});

test("a file without unused lines is not written again when it is opened", async () => {
  writeFileSync(path, `${linesOf(1, 2)}torn`);
  await openStore();
  expect(content()).toBe(`${linesOf(1, 2)}torn`);
  expect(log.lines).toEqual([]);
});

test("lines that are not needed are removed when a file is opened", async () => {
  writeFileSync(path, `${linesOf(1, 2)}${deliveredLine([1], 0)}`);
  await openStore();
  expect(content()).toBe(linesOf(2));
});

test("lines that are not needed are removed on request, and only then", async () => {
  const store = await openStore();
  await store.addRecords([record(1), record(2)]);
  expect([store.forget(1), store.forget(1)]).toEqual([true, false]);
  expect(store.has(1)).toBe(false);
  expect(content()).toBe(linesOf(1, 2));
  await store.removeUnusedLines();
  expect(content()).toBe(linesOf(2));
  await store.addRecords([record(3)]);
  expect(content()).toBe(linesOf(2, 3));
});

test("the directory is synced after a compaction, so that a crash does not bring the old file back", async () => {
  const store = await openStore();
  await store.addRecords([record(1), record(2)]);
  store.forget(1);
  const probe = await open(dir, "r");
  const contents: string[] = [];
  const sync = spyOn(Object.getPrototypeOf(probe) as FileHandle, "sync").mockImplementation(async () => {
    contents.push(content());
  });
  await store.removeUnusedLines();
  expect(contents).toEqual([linesOf(2)]);
  sync.mockRestore();
  await probe.close();
});

test("without a file there is nothing to remove", async () => {
  const store = await openStore();
  await store.removeUnusedLines();
  expect(store.waiting()).toEqual({ events: 0, bytes: 0 });
});

test("a note is in the file, and a later record is found behind it", async () => {
  const store = await openStore();
  await store.addRecords([record(1)]);
  await store.addNote(deliveredLine([1], 0));
  store.forget(1);
  await store.addRecords([record(2)]);
  expect(content()).toBe(`${linesOf(1)}${deliveredLine([1], 0)}${linesOf(2)}`);
  expect((await store.read(2))?.event).toEqual(storedEvent(2));
});

test("a file may be exactly as large as its limit", async () => {
  const store = await openStore(4 * lineBytes);
  await store.addRecords([1, 2, 3].map((sequence) => record(sequence)));
  expect([store.hasRoomFor(lineBytes), store.hasRoomFor(lineBytes + 1)]).toEqual([true, false]);
  await store.addRecords([record(4)]);
  expect([content().length, overflows]).toEqual([4 * lineBytes, []]);
});

test("a full file loses its oldest records until it is seven eighths full with the new one", async () => {
  const store = await openStore(8 * lineBytes);
  for (let sequence = 1; sequence <= 8; sequence++) await store.addRecords([record(sequence)]);
  expect(overflows).toEqual([]);
  await store.addRecords([record(9)]);
  expect(overflows).toEqual([2]);
  expect(content()).toBe(linesOf(3, 4, 5, 6, 7, 8, 9));
});

test("one record that is removed from a full file is reported too", async () => {
  const store = await openStore(2 * lineBytes);
  await store.addRecords([record(1)]);
  await store.addRecords([record(2, "a reason that is longer")]);
  expect([overflows, [...store.sequences()]]).toEqual([[1], [2]]);
});

test("a full file with unused lines loses no record if these make enough room", async () => {
  const store = await openStore(8 * lineBytes);
  for (let sequence = 1; sequence <= 8; sequence++) await store.addRecords([record(sequence)]);
  store.forget(1);
  store.forget(5);
  await store.addRecords([record(9)]);
  expect(overflows).toEqual([]);
  expect(content()).toBe(linesOf(2, 3, 4, 6, 7, 8, 9));
});

test("damaged lines stay in the file and are logged", async () => {
  writeFileSync(path, `${linesOf(1)}{damaged\n{again\n`);
  const store = await openStore();
  expect(store.waiting().events).toBe(1);
  expect(log.lines).toEqual([
    {
      level: "error",
      message: "lines of the dead-letter file are damaged; they stay in the file",
      fields: { path, lines: 2 },
    },
  ]);
});

test("a file that was removed by hand is created again, with a warning", async () => {
  const store = await openStore();
  await store.addRecords([record(1)]);
  rmSync(path);
  await store.addRecords([record(2)]);
  expect([content(), [...store.sequences()]]).toEqual([linesOf(2), [2]]);
  expect(log.lines).toEqual([
    {
      level: "warn",
      message: "the dead-letter file was removed or replaced; its current content is used",
      fields: { path },
    },
  ]);
});

test("a file that was replaced by hand is read again before it is appended to", async () => {
  const store = await openStore();
  await store.addRecords([record(1), record(2)]);
  rmSync(path);
  writeFileSync(path, linesOf(3));
  await store.addRecords([record(4)]);
  expect([content(), [...store.sequences()]]).toEqual([linesOf(3, 4), [3, 4]]);
  expect((await store.read(3))?.event).toEqual(storedEvent(3));
});

test("a file that an operator created is read before it is appended to", async () => {
  const store = await openStore();
  writeFileSync(path, linesOf(3));
  await store.addRecords([record(4)]);
  expect([content(), [...store.sequences()]]).toEqual([linesOf(3, 4), [3, 4]]);
});

test("a file that was replaced and cannot be read is not overwritten, and is read by the next write", async () => {
  const store = await openStore();
  await store.addRecords([record(1)]);
  rmSync(path);
  writeFileSync(path, linesOf(2, 3));
  const read = spyOn(RecordIndex, "read").mockRejectedValueOnce(new Error("EIO"));
  await expect(store.addRecords([record(4)])).rejects.toThrow("EIO");
  read.mockRestore();
  await store.addRecords([record(4)]);
  expect([content(), [...store.sequences()]]).toEqual([linesOf(2, 3, 4), [2, 3, 4]]);
});

test("a file that cannot be read is not opened, and is closed", async () => {
  writeFileSync(path, linesOf(1));
  const probe = await open(path, "r");
  const close = spyOn(Object.getPrototypeOf(probe) as FileHandle, "close");
  const read = spyOn(RecordIndex, "read").mockRejectedValueOnce(new Error("EIO"));
  await expect(openStore()).rejects.toThrow("EIO");
  expect(close).toHaveBeenCalledTimes(1);
  close.mockRestore();
  read.mockRestore();
  await probe.close();
});

test("a file that cannot be compacted when it is opened is closed", async () => {
  writeFileSync(path, linesOf(1) + deliveredLine([1], 0));
  mkdirSync(`${path}.tmp`);
  const probe = await open(path, "r");
  const close = spyOn(Object.getPrototypeOf(probe) as FileHandle, "close");
  await expect(openStore()).rejects.toThrow("EISDIR");
  expect(close).toHaveBeenCalledTimes(1);
  close.mockRestore();
  await probe.close();
});

test("a record is read from the new file if a compaction closes the old one during the read", async () => {
  const store = await openStore();
  await store.addRecords([record(1), record(2)]);
  store.forget(1);
  const probe = await open(path, "r");
  const read = spyOn(Object.getPrototypeOf(probe) as FileHandle, "read").mockImplementationOnce(async () => {
    await store.removeUnusedLines();
    throw new Error("EBADF");
  });
  expect((await store.read(2))?.event).toEqual(storedEvent(2));
  expect(content()).toBe(linesOf(2));
  read.mockRestore();
  await probe.close();
});

test("records that cannot be written are not in the index, and a later write succeeds", async () => {
  const store = await openStore();
  mkdirSync(path);
  await expect(store.addRecords([record(1)])).rejects.toThrow("EISDIR");
  expect([store.has(1), store.waiting()]).toEqual([false, { events: 0, bytes: 0 }]);
  rmdirSync(path);
  await store.addRecords([record(1)]);
  expect(content()).toBe(linesOf(1));
});

test("a compaction that fails changes nothing, and the next one succeeds", async () => {
  const store = await openStore();
  await store.addRecords([record(1), record(2)]);
  store.forget(1);
  mkdirSync(`${path}.tmp`);
  await expect(store.removeUnusedLines()).rejects.toThrow("EISDIR");
  expect((await store.read(2))?.event).toEqual(storedEvent(2));
  rmdirSync(`${path}.tmp`);
  await store.removeUnusedLines();
  expect(content()).toBe(linesOf(2));
});

test("a record whose line was changed by hand cannot be read", async () => {
  const store = await openStore();
  await store.addRecords([record(1)]);
  writeFileSync(path, " ".repeat(lineBytes));
  await expect(store.read(1)).rejects.toThrow("there is no record at byte 0");
  writeFileSync(path, "");
  await expect(store.read(1)).rejects.toThrow("the file ends at byte 0");
  appendFileSync(path, linesOf(1));
  expect((await store.read(1))?.event).toEqual(storedEvent(1));
});
