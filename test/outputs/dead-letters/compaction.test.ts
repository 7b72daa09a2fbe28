import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppendFile } from "../../../server/outputs/dead-letters/append-file.ts";
import { compact } from "../../../server/outputs/dead-letters/compaction.ts";
import { recordLine } from "../../../server/outputs/dead-letters/record.ts";
import { RecordIndex } from "../../../server/outputs/dead-letters/record-index.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

let dir: string;
let path: string;
let old: AppendFile;
let index: RecordIndex;
/** The prototype of every FileHandle. */
let fileHandles: FileHandle;

const record = (sequence: number, document?: string) =>
  recordLine({ event: storedEvent(sequence, document), reason: "bad", output: "stub", time: 0 });
const content = () => readFileSync(path, "utf8");

async function openWith(lines: readonly (Buffer | string)[]): Promise<void> {
  writeFileSync(path, Buffer.concat(lines.map((line) => Buffer.from(line))));
  const file = await AppendFile.open(path);
  if (!file) throw new Error("no file");
  old = file;
  fileHandles = Object.getPrototypeOf(file.handle);
  index = await RecordIndex.read(file.handle);
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "loom-compaction-"));
  path = join(dir, "file");
});

afterEach(async () => {
  await old.close();
  rmSync(dir, { recursive: true });
});

test("the new file has damaged lines, then the records that are left, in their order", async () => {
  await openWith([record(3), "{damaged\n", record(1), record(2), "torn"]);
  index.remove(1);
  const file = await compact(path, old, index);
  expect(content()).toBe(`{damaged\n${record(3)}${record(2)}`);
  expect((await RecordIndex.read(file.handle)).liveSpans()).toEqual(index.compacted().liveSpans());
  await file.close();
  expect([readdirSync(dir), statSync(path).mode & 0o777]).toEqual([["file"], 0o600]);
});

test("more than is read at a time is copied without a change", async () => {
  const large = [1, 2, 3].map((sequence) => record(sequence, `{"x":"${String(sequence).repeat(200_000)}"}`));
  await openWith([record(9), ...large]);
  index.remove(9);
  await (await compact(path, old, index)).close();
  expect(content()).toBe(Buffer.concat(large).toString());
});

test("the old file can be read after it was replaced", async () => {
  await openWith([record(1), record(2)]);
  index.remove(1);
  await (await compact(path, old, index)).close();
  expect((await old.handle.readFile()).toString()).toBe(`${record(1)}${record(2)}`);
});

test("what a crash left in the temporary file is overwritten", async () => {
  await openWith([record(1)]);
  writeFileSync(`${path}.tmp`, "x".repeat(10_000));
  await (await compact(path, old, index)).close();
  expect(content()).toBe(String(record(1)));
});

test("the new file is synced with all its lines before it replaces the old one", async () => {
  await openWith([record(1), record(2)]);
  index.remove(1);
  const atSync: string[] = [];
  const datasync = spyOn(fileHandles, "datasync").mockImplementation(async () => {
    atSync.push(content(), readFileSync(`${path}.tmp`, "utf8"));
  });
  await (await compact(path, old, index)).close();
  datasync.mockRestore();
  expect(atSync).toEqual([`${record(1)}${record(2)}`, String(record(2))]);
});

test("a file that cannot be renamed is closed, and the error is passed on", async () => {
  await openWith([record(1), record(2)]);
  index.remove(1);
  rmSync(path);
  mkdirSync(join(path, "not-empty"), { recursive: true });
  const close = spyOn(fileHandles, "close");
  await expect(compact(path, old, index)).rejects.toThrow(/EISDIR|ENOTEMPTY/);
  expect(close).toHaveBeenCalledTimes(1);
  close.mockRestore();
});

test("a compaction that fails leaves the file as it was", async () => {
  await openWith([record(1), record(2)]);
  index.remove(1);
  mkdirSync(`${path}.tmp`);
  await expect(compact(path, old, index)).rejects.toThrow("EISDIR");
  expect(content()).toBe(`${record(1)}${record(2)}`);
});
