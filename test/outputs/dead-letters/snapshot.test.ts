import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deadLettersPath } from "../../../server/outputs/dead-letters/dead-letters.ts";
import { recordLine } from "../../../server/outputs/dead-letters/record.ts";
import { writeRequest } from "../../../server/outputs/dead-letters/requests.ts";
import { type DeadLetterSnapshot, readSnapshots } from "../../../server/outputs/dead-letters/snapshot.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

let dir: string;
let opened: readonly DeadLetterSnapshot[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "loom-snapshot-"));
  opened = [];
});

afterEach(async () => {
  for (const snapshot of opened) await snapshot.close();
  rmSync(dir, { recursive: true, force: true });
});

const lineOf = (sequence: number) =>
  String(recordLine({ event: storedEvent(sequence), reason: "bad", output: "stub", time: 0 }));
const write = (output: string, text: string) => writeFileSync(deadLettersPath(dir, output), text);

async function read(output?: string): Promise<readonly DeadLetterSnapshot[]> {
  opened = await readSnapshots(dir, output);
  return opened;
}

test("there is a snapshot of each output that has a file, ordered by name", async () => {
  for (const output of ["elasticsearch", "clickhouse"]) write(output, lineOf(1));
  writeFileSync(join(dir, "dead-letters-x.ndjson.tmp"), lineOf(1));
  writeFileSync(join(dir, "old-dead-letters-y.ndjson"), lineOf(1));
  expect((await read()).map(({ output, path }) => [output, path])).toEqual([
    ["clickhouse", deadLettersPath(dir, "clickhouse")],
    ["elasticsearch", deadLettersPath(dir, "elasticsearch")],
  ]);
});

test("one output's snapshot can be read alone", async () => {
  for (const output of ["elasticsearch", "clickhouse"]) write(output, lineOf(1));
  expect((await read("clickhouse")).map(({ output }) => output)).toEqual(["clickhouse"]);
});

test("a directory that does not exist has no dead letters", async () => {
  rmSync(dir, { recursive: true });
  expect(await read()).toEqual([]);
});

test("a directory that cannot be read is an error that names it", async () => {
  const path = join(dir, "file");
  writeFileSync(path, "");
  await expect(readSnapshots(path, undefined)).rejects.toThrow(`dead-letters: cannot read ${path}: ENOTDIR`);
});

test("a file that cannot be read is an error, and no file stays open", async () => {
  mkdirSync(deadLettersPath(dir, "stub"));
  await expect(readSnapshots(dir, undefined)).rejects.toThrow("EISDIR");
  write("earlier", lineOf(1));
  const probe = await open(dir, "r");
  const close = spyOn(Object.getPrototypeOf(probe) as FileHandle, "close");
  await expect(readSnapshots(dir, undefined)).rejects.toThrow("EISDIR");
  expect(close).toHaveBeenCalledTimes(2);
  close.mockRestore();
  await probe.close();
});

test("a snapshot has the records in the order of the file, and the number of damaged lines", async () => {
  write("stub", `${lineOf(3)}{damaged\n${lineOf(1)}torn`);
  const [snapshot] = await read();
  expect([snapshot?.sequences, snapshot?.damagedLines]).toEqual([[3, 1], 1]);
  expect([snapshot?.has(1), snapshot?.has(2)]).toEqual([true, false]);
  expect((await snapshot?.read(1))?.event).toEqual(storedEvent(1));
  await expect(snapshot?.read(2) ?? Promise.resolve()).rejects.toThrow(
    "has no record with the sequence number 2",
  );
});

test("a snapshot shows which retries are pending, and has no records that are requested to be dropped", async () => {
  write("stub", lineOf(1) + lineOf(2) + lineOf(3));
  await writeRequest(dir, "stub", "retry", [2]);
  await writeRequest(dir, "stub", "drop", [1]);
  const [snapshot] = await read();
  expect(snapshot?.sequences).toEqual([2, 3]);
  expect([2, 3].map((sequence) => snapshot?.isRetryPending(sequence))).toEqual([true, false]);
});

test("reading a snapshot changes nothing in the directory", async () => {
  write("stub", `${lineOf(1)}{damaged\ntorn`);
  await writeRequest(dir, "stub", "drop", [1]);
  const before = readdirSync(dir);
  await read();
  expect(readdirSync(dir)).toEqual(before);
  expect(await Bun.file(deadLettersPath(dir, "stub")).text()).toBe(`${lineOf(1)}{damaged\ntorn`);
});
