import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DeadLetters,
  deadLettersPath,
  openDeadLetters,
} from "../../../server/outputs/dead-letters/dead-letters.ts";
import { writeRequest } from "../../../server/outputs/dead-letters/requests.ts";
import { recordingLog } from "../../support/log.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

const bounds = { maxEvents: 100, maxBytes: 1024 * 1024 };
let dir: string;
let path: string;
let opened: DeadLetters[];
const log = recordingLog();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "loom-dead-letters-"));
  path = deadLettersPath(dir, "stub");
  opened = [];
  log.lines.length = 0;
});

afterEach(async () => {
  for (const deadLetters of opened) await deadLetters.close();
  rmSync(dir, { recursive: true });
});

async function open(maxBytes?: number): Promise<DeadLetters> {
  const bound = maxBytes === undefined ? {} : { maxBytes };
  const deadLetters = await openDeadLetters({
    dir,
    output: "stub",
    log,
    now: () => Date.UTC(2026, 4, 1),
    ...bound,
  });
  opened.push(deadLetters);
  return deadLetters;
}

const rejection = (sequence: number, reason = "400 bad", document?: string) => ({
  event: storedEvent(sequence, document),
  reason,
});

function linesOf(): Record<string, unknown>[] {
  const text = readFileSync(path, "utf8").trim();
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line));
}

const sequencesIn = () => linesOf().map(({ sequence }) => sequence);

/** Requests a retry. @returns the sequence numbers of the events that it returns first */
async function retried(deadLetters: DeadLetters, sequences: readonly number[]): Promise<number[]> {
  await writeRequest(dir, "stub", "retry", sequences);
  return ((await deadLetters.nextRetry(bounds)) ?? []).map(({ sequence }) => sequence);
}

test("a record says which event was rejected, by which output, when and why", async () => {
  const deadLetters = await open();
  await deadLetters.add([
    rejection(12, "400 mapper_parsing_exception", '{"a":"\\u001b[31m","n":18446744073709551615}'),
  ]);
  expect(linesOf()).toEqual([
    {
      time: "2026-05-01T00:00:00.000Z",
      output: "stub",
      reason: "400 mapper_parsing_exception",
      sensor_id: "vps-1",
      sequence: 12,
      received_at: "1970-01-01T00:00:00.000Z",
      event: '{"a":"\\u001b[31m","n":18446744073709551615}',
    },
  ]);
});

test("only the owner can read the file", async () => {
  await (await open()).add([rejection(1)]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("there is no file if nothing was rejected", async () => {
  const deadLetters = await open();
  await deadLetters.noteDelivered([1, 2, 3]);
  expect(() => statSync(path)).toThrow("ENOENT");
});

test("an event that is added again after a restart has one record", async () => {
  await (await open()).add([rejection(1), rejection(2)]);
  const reopened = await open();
  await reopened.add([rejection(1), rejection(2), rejection(3)]);
  expect(sequencesIn()).toEqual([1, 2, 3]);
  expect(reopened.counts.addedEvents).toBe(1);
});

test("an event that is rejected again for another reason has the new reason", async () => {
  const deadLetters = await open();
  await deadLetters.add([rejection(1, "old")]);
  await deadLetters.add([rejection(1, "new")]);
  expect(deadLetters.waiting().events).toBe(1);
  await open();
  expect(linesOf()).toMatchObject([{ sequence: 1, reason: "new" }]);
});

test("a torn last line is cut off at restart, wherever it was torn", async () => {
  await (await open()).add([rejection(1), rejection(2, "r".repeat(300))]);
  const whole = readFileSync(path);
  const firstLength = whole.indexOf("\n") + 1;
  for (let length = whole.length - 1; length >= firstLength; length -= 7) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    const reopened = await open();
    expect(reopened.waiting().events).toBe(1);
    await reopened.add([rejection(3)]);
    expect(sequencesIn()).toEqual([1, 3]);
  }
});

test("a damaged line in the middle stays in the file, and no other record is lost", async () => {
  await (await open()).add([rejection(1)]);
  appendFileSync(path, '{"time":"2026\0\n');
  const reopened = await open();
  await reopened.add([rejection(2)]);
  expect(await retried(reopened, [1, 2])).toEqual([1, 2]);
  await reopened.noteDelivered([1]);
  await reopened.nextRetry(bounds);
  expect(readFileSync(path, "utf8")).toContain('{"time":"2026\0\n');
  expect(log.lines).toContainEqual(expect.objectContaining({ level: "error", fields: { path, lines: 1 } }));
});

test("a file that was removed by hand is created again", async () => {
  const deadLetters = await open();
  await deadLetters.add([rejection(1)]);
  rmSync(path);
  await deadLetters.add([rejection(2)]);
  expect(sequencesIn()).toEqual([2]);
});

describe("a full file", () => {
  test("loses its oldest records, which are counted and logged, and stays below its limit", async () => {
    const deadLetters = await open(4000);
    for (let sequence = 1; sequence <= 100; sequence++) await deadLetters.add([rejection(sequence)]);
    expect(statSync(path).size).toBeLessThanOrEqual(4000);
    const left = deadLetters.waiting().events;
    expect(sequencesIn()).toEqual(Array.from({ length: left }, (_, n) => 101 - left + n));
    expect(deadLetters.counts).toMatchObject({ addedEvents: 100, overflowedEvents: 100 - left });
    expect(log.lines[0]).toMatchObject({
      level: "error",
      message: "the dead-letter file is full; its oldest records are dropped",
    });
  });

  test("loses no record to the note that another was delivered", async () => {
    const deadLetters = await open(1000);
    let sequence = 0;
    while (deadLetters.counts.overflowedEvents === 0) await deadLetters.add([rejection(++sequence)]);
    while (1000 - statSync(path).size > 60) await deadLetters.add([rejection(++sequence, "r")]);
    const { overflowedEvents } = deadLetters.counts;
    const before = deadLetters.waiting().events;
    await deadLetters.noteDelivered([sequence]);
    expect(deadLetters.waiting().events).toBe(before - 1);
    expect(deadLetters.counts.overflowedEvents).toBe(overflowedEvents);
    expect(sequencesIn()).not.toContain(sequence);
  });

  test("loses no record to an event that is larger than the file may be: that event is dropped, counted and logged", async () => {
    const deadLetters = await open(1000);
    await deadLetters.add([rejection(1), rejection(2, "413", `{"a":"${"x".repeat(2000)}"}`)]);
    expect(sequencesIn()).toEqual([1]);
    expect(deadLetters.counts.overflowedEvents).toBe(1);
  });
});

describe("a request to retry", () => {
  test("returns the events unchanged, with their sequence numbers", async () => {
    const deadLetters = await open();
    const { event } = rejection(7, "", '{"a":"\\u001b","ä":1.0}');
    await deadLetters.add([{ event, reason: "400" }]);
    await writeRequest(dir, "stub", "retry", [7]);
    expect(await deadLetters.nextRetry(bounds)).toEqual([event]);
  });

  test("returns each event once, within the bounds, and then ends", async () => {
    const deadLetters = await open();
    await deadLetters.add([1, 2, 3, 4, 5].map((sequence) => rejection(sequence)));
    await writeRequest(dir, "stub", "retry", [1, 2, 4, 5]);
    const rounds = [];
    for (let events = await deadLetters.nextRetry({ ...bounds, maxEvents: 3 }); events; ) {
      rounds.push(events.map(({ sequence }) => sequence));
      events = await deadLetters.nextRetry({ ...bounds, maxEvents: 3 });
    }
    expect(rounds).toEqual([[1, 2, 4], [5]]);
    expect(sequencesIn()).toEqual([1, 2, 3, 4, 5]);
  });

  test("removes the records of events that were delivered", async () => {
    const deadLetters = await open();
    await deadLetters.add([rejection(1), rejection(2)]);
    await retried(deadLetters, [1, 2]);
    await deadLetters.noteDelivered([1]);
    expect(await deadLetters.nextRetry(bounds)).toBeUndefined();
    expect(sequencesIn()).toEqual([2]);
    expect(deadLetters.counts.deliveredEvents).toBe(1);
  });

  test("continues after a crash with the events that were not delivered", async () => {
    const deadLetters = await open();
    await deadLetters.add([rejection(1), rejection(2), rejection(3)]);
    await retried(deadLetters, [1, 2, 3]);
    await deadLetters.noteDelivered([1, 2]);
    const reopened = await open();
    expect((await reopened.nextRetry(bounds))?.map(({ sequence }) => sequence)).toEqual([3]);
  });

  test("skips numbers without a record", async () => {
    const deadLetters = await open();
    await deadLetters.add([rejection(2)]);
    expect(await retried(deadLetters, [1, 2, 99])).toEqual([2]);
  });
});

test("a request to drop removes events from the file", async () => {
  const deadLetters = await open();
  await deadLetters.add([rejection(1), rejection(2, "400", '{"secret":1}')]);
  await writeRequest(dir, "stub", "drop", [2]);
  expect(await deadLetters.nextRetry(bounds)).toBeUndefined();
  expect(readFileSync(path, "utf8")).not.toContain("secret");
  expect(deadLetters.counts.droppedEvents).toBe(1);
});

test("a request for another output is not served", async () => {
  const deadLetters = await open();
  await deadLetters.add([rejection(1)]);
  await writeRequest(dir, "other", "drop", [1]);
  await deadLetters.nextRetry(bounds);
  expect(deadLetters.waiting().events).toBe(1);
});

test.each([
  "",
  "{",
  "null",
  '{"action":"rm","sequences":[1]}',
  '{"action":"drop","sequences":["1"]}',
  '{"action":"drop"}',
])("a request file with %p is logged once and skipped, and the next is served", async (text) => {
  const deadLetters = await open();
  await deadLetters.add([rejection(1)]);
  writeFileSync(join(dir, "dead-letters-stub.request-000000000000001-0.json"), text);
  expect(await retried(deadLetters, [1])).toEqual([1]);
  await deadLetters.nextRetry(bounds);
  expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
});
