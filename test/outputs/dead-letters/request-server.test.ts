import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MutableCounts, zeroCounts } from "../../../server/outputs/dead-letters/counts.ts";
import { recordLine } from "../../../server/outputs/dead-letters/record.ts";
import { RequestServer } from "../../../server/outputs/dead-letters/request-server.ts";
import { listRequests, writeRequest } from "../../../server/outputs/dead-letters/requests.ts";
import { DeadLetterStore } from "../../../server/outputs/dead-letters/store.ts";
import { recordingLog } from "../../support/log.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

const log = recordingLog();
const bounds = { maxEvents: 100, maxBytes: 1024 * 1024 };
let dir: string;
let path: string;
let store: DeadLetterStore;
let counts: MutableCounts;
let server: RequestServer;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "loom-request-server-"));
  path = join(dir, "dead-letters-stub.ndjson");
  counts = zeroCounts();
  log.lines.length = 0;
  store = await DeadLetterStore.open({ path, maxBytes: 1024 * 1024, log, onOverflow: () => {} });
  server = new RequestServer({ dir, output: "stub", store, counts, log });
});

afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

const lineOf = (sequence: number, document?: string) =>
  recordLine({ event: storedEvent(sequence, document), reason: "bad", output: "stub", time: 0 });
const add = (sequences: readonly number[], document?: string) =>
  store.addRecords(sequences.map((sequence) => ({ sequence, line: lineOf(sequence, document) })));
const request = (action: "retry" | "drop", sequences: readonly number[]) =>
  writeRequest(dir, "stub", action, sequences);
const retried = async (limits = bounds) => (await server.nextRetry(limits))?.map(({ sequence }) => sequence);
const pending = async () => (await listRequests(dir, "stub")).length;

test("without a request there is nothing to retry", async () => {
  await add([1]);
  expect(await retried()).toBeUndefined();
});

test("a retry returns its events in the order of the request, and stays pending until the next call", async () => {
  await add([1, 2, 3]);
  await request("retry", [3, 1]);
  expect(await retried()).toEqual([3, 1]);
  expect(await pending()).toBe(1);
  expect(await retried()).toBeUndefined();
  expect([await pending(), store.waiting().events]).toEqual([0, 3]);
});

test("the events of a retry have at most the number and bytes of the bounds, and are all returned", async () => {
  await add([1, 2, 3, 4, 5], '{"a":1}');
  await request("retry", [1, 2, 3, 4, 5]);
  expect(await retried({ maxEvents: 2, maxBytes: 1000 })).toEqual([1, 2]);
  expect(await retried({ maxEvents: 100, maxBytes: 14 })).toEqual([3, 4]);
  expect(await retried({ maxEvents: 100, maxBytes: 14 })).toEqual([5]);
});

test("an event larger than the bounds is returned alone", async () => {
  await add([1, 2]);
  await request("retry", [1, 2]);
  expect(await retried({ maxEvents: 100, maxBytes: 1 })).toEqual([1]);
  expect(await retried({ maxEvents: 100, maxBytes: 1 })).toEqual([2]);
});

test("requests are served one after the other, each from its first event", async () => {
  await add([1, 2]);
  const write = (name: string, text: string) =>
    writeFileSync(join(dir, `dead-letters-stub.request-${name}.json`), text);
  write("1", '{"action":"retry","sequences":[1,2]}');
  write("2", '{"action":"drop","sequences":[2]}');
  write("3", '{"action":"retry","sequences":[1,2]}');
  expect(await retried()).toEqual([1, 2]);
  expect(await retried()).toEqual([1]);
  expect(await retried()).toBeUndefined();
});

test("a retry of delivered events ends without an event, and their lines are removed", async () => {
  await add([1, 2]);
  await request("retry", [1]);
  await retried();
  store.forget(1);
  expect(await retried()).toBeUndefined();
  expect(readFileSync(path, "utf8")).toBe(String(lineOf(2)));
});

test("a drop removes records, is counted and logged, and ends", async () => {
  await add([1, 2, 3]);
  await request("drop", [1, 3, 99]);
  expect(await retried()).toBeUndefined();
  expect(readFileSync(path, "utf8")).toBe(String(lineOf(2)));
  expect([counts, await pending()]).toEqual([{ ...zeroCounts(), droppedEvents: 2 }, 0]);
  expect(log.lines).toEqual([
    { level: "info", message: "dead letters dropped on request", fields: { output: "stub", events: 2 } },
  ]);
});

test("a record that cannot be read is logged and skipped, and stays in the file", async () => {
  await add([1, 2]);
  writeFileSync(path, `${" ".repeat(lineOf(1).length - 1)}\n${lineOf(2)}`);
  await request("retry", [1, 2]);
  expect(await retried()).toEqual([2]);
  expect(store.has(1)).toBe(true);
  expect(log.lines).toEqual([
    {
      level: "error",
      message: "cannot read a dead letter for a retry; it stays in the file",
      fields: { output: "stub", sequence: 1, error: "there is no record at byte 0" },
    },
  ]);
});
