import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MutableCounts, zeroCounts } from "../../../server/outputs/dead-letters/counts.ts";
import { deliveredLine, recordLine } from "../../../server/outputs/dead-letters/record.ts";
import { RejectionWriter } from "../../../server/outputs/dead-letters/rejection-writer.ts";
import { DeadLetterStore } from "../../../server/outputs/dead-letters/store.ts";
import { recordingLog } from "../../support/log.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

const log = recordingLog();
const time = Date.UTC(2026, 4, 1);
let dir: string;
let path: string;
let store: DeadLetterStore;
let counts: MutableCounts;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "loom-rejections-"));
  path = join(dir, "dead-letters-stub.ndjson");
  counts = zeroCounts();
  log.lines.length = 0;
});

afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

async function openWriter(maxBytes = 1024 * 1024): Promise<RejectionWriter> {
  store = await DeadLetterStore.open({ path, maxBytes, log, onOverflow: () => {} });
  return new RejectionWriter({ output: "stub", store, maxBytes, counts, log, now: () => time });
}

const rejection = (sequence: number, reason = "bad", document?: string) => ({
  event: storedEvent(sequence, document),
  reason,
});
const lineOf = (sequence: number, reason = "bad") =>
  String(recordLine({ event: storedEvent(sequence), reason, output: "stub", time }));
const content = () => readFileSync(path, "utf8");

test("rejected events are written with the output, the time and the reason, and counted", async () => {
  await (await openWriter()).add([rejection(1), rejection(2, "worse")]);
  expect(content()).toBe(lineOf(1) + lineOf(2, "worse"));
  expect(counts).toEqual({ ...zeroCounts(), addedEvents: 2 });
});

test("an event that is rejected again for the same reason is not written again", async () => {
  const writer = await openWriter();
  await writer.add([rejection(1), rejection(2)]);
  await writer.add([rejection(1), rejection(2)]);
  expect(content()).toBe(lineOf(1) + lineOf(2));
  expect(counts.addedEvents).toBe(2);
});

test("an event that is rejected again for another reason is written again, but not counted again", async () => {
  const writer = await openWriter();
  await writer.add([rejection(1)]);
  await writer.add([rejection(1, "worse"), rejection(2)]);
  expect(content()).toBe(lineOf(1) + lineOf(1, "worse") + lineOf(2));
  expect(counts.addedEvents).toBe(2);
});

test("an event whose record cannot be read is written again", async () => {
  const writer = await openWriter();
  await writer.add([rejection(1)]);
  writeFileSync(path, " ".repeat(lineOf(1).length));
  await writer.add([rejection(1)]);
  expect(content()).toEndWith(lineOf(1));
});

test("a reason is cut to 2000 characters, and is the same reason when it is given again", async () => {
  const writer = await openWriter();
  const reason = "r".repeat(3000);
  await writer.add([rejection(1, reason)]);
  await writer.add([rejection(1, reason)]);
  expect(content()).toBe(lineOf(1, `${"r".repeat(2000)}…`));
});

test("an event may be as large as the file, and one byte more is dropped, counted and logged", async () => {
  const limit = lineOf(1).length;
  const writer = await openWriter(limit);
  await writer.add([rejection(1)]);
  expect([content(), counts.overflowedEvents]).toEqual([lineOf(1), 0]);
  await writer.add([rejection(2, "bad!")]);
  expect(content()).toBe(lineOf(1));
  expect(counts).toEqual({ ...zeroCounts(), addedEvents: 1, overflowedEvents: 1 });
  expect(log.lines).toEqual([
    {
      level: "error",
      message: "rejected events are larger than the dead-letter file may be; they are dropped",
      fields: { output: "stub", events: 1, max_bytes: limit },
    },
  ]);
});

test("if all events are too large, no file is created", async () => {
  await (await openWriter(10)).add([rejection(1)]);
  expect(existsSync(path)).toBe(false);
  expect(counts).toEqual({ ...zeroCounts(), overflowedEvents: 1 });
});

test("delivered events are noted and counted, and unknown ones are not", async () => {
  const writer = await openWriter();
  await writer.add([rejection(1), rejection(2)]);
  await writer.noteDelivered([2, 7]);
  expect(content()).toBe(lineOf(1) + lineOf(2) + deliveredLine([2], time));
  expect([store.has(1), store.has(2), counts.deliveredEvents]).toEqual([true, false, 1]);
  await writer.noteDelivered([2, 7]);
  expect(content()).toBe(lineOf(1) + lineOf(2) + deliveredLine([2], time));
});

test("if a note has no room, the delivered records are removed instead, and no others", async () => {
  const writer = await openWriter(lineOf(1).length * 2);
  await writer.add([rejection(1), rejection(2)]);
  await writer.noteDelivered([1]);
  expect(content()).toBe(lineOf(2));
  expect(counts).toEqual({ ...zeroCounts(), addedEvents: 2, deliveredEvents: 1 });
});
