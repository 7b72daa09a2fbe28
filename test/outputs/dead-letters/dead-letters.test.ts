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
  for (const letters of opened) await letters.close();
  rmSync(dir, { recursive: true });
});

async function openLetters(maxBytes?: number): Promise<DeadLetters> {
  const bound = maxBytes === undefined ? {} : { maxBytes };
  const letters = await openDeadLetters({
    dir,
    output: "stub",
    log,
    now: () => Date.UTC(2026, 4, 1),
    ...bound,
  });
  opened.push(letters);
  return letters;
}

const refusal = (sequence: number, reason = "400 bad", document?: string) => ({
  event: storedEvent(sequence, document),
  reason,
});

function linesOf(): Record<string, unknown>[] {
  const text = readFileSync(path, "utf8").trim();
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line));
}

const sequencesIn = () => linesOf().map(({ sequence }) => sequence);

/** Asks for all of them again. @returns what is given out */
async function retried(letters: DeadLetters, sequences: readonly number[]): Promise<number[]> {
  await writeRequest(dir, "stub", "retry", sequences);
  return ((await letters.nextRetry(bounds)) ?? []).map(({ sequence }) => sequence);
}

test("a letter says what was refused, by which output, when and why", async () => {
  const letters = await openLetters();
  await letters.add([
    refusal(12, "400 mapper_parsing_exception", '{"a":"\\u001b[31m","n":18446744073709551615}'),
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

test("nobody but the owner may read them", async () => {
  await (await openLetters()).add([refusal(1)]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("there is no file where nothing was refused", async () => {
  const letters = await openLetters();
  await letters.noteDelivered([1, 2, 3]);
  expect(() => statSync(path)).toThrow("ENOENT");
});

test("a letter that is added again after a restart stays one", async () => {
  await (await openLetters()).add([refusal(1), refusal(2)]);
  const reopened = await openLetters();
  await reopened.add([refusal(1), refusal(2), refusal(3)]);
  expect(sequencesIn()).toEqual([1, 2, 3]);
  expect(reopened.counts.addedEvents).toBe(1);
});

test("a letter refused again for another reason has the new one", async () => {
  const letters = await openLetters();
  await letters.add([refusal(1, "old")]);
  await letters.add([refusal(1, "new")]);
  expect(letters.waiting().events).toBe(1);
  await openLetters();
  expect(linesOf()).toMatchObject([{ sequence: 1, reason: "new" }]);
});

test("a torn last line is cut off at restart, wherever it was torn", async () => {
  await (await openLetters()).add([refusal(1), refusal(2, "r".repeat(300))]);
  const whole = readFileSync(path);
  const firstLength = whole.indexOf("\n") + 1;
  for (let length = whole.length - 1; length >= firstLength; length -= 7) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    const reopened = await openLetters();
    expect(reopened.waiting().events).toBe(1);
    await reopened.add([refusal(3)]);
    expect(sequencesIn()).toEqual([1, 3]);
  }
});

test("a damaged line in the middle is left where it is, and costs no other letter", async () => {
  await (await openLetters()).add([refusal(1)]);
  appendFileSync(path, '{"time":"2026\0\n');
  const reopened = await openLetters();
  await reopened.add([refusal(2)]);
  expect(await retried(reopened, [1, 2])).toEqual([1, 2]);
  await reopened.noteDelivered([1]);
  await reopened.nextRetry(bounds);
  expect(readFileSync(path, "utf8")).toContain('{"time":"2026\0\n');
  expect(log.lines).toContainEqual(expect.objectContaining({ level: "error", fields: { path, lines: 1 } }));
});

test("a file that was removed by hand is begun again", async () => {
  const letters = await openLetters();
  await letters.add([refusal(1)]);
  rmSync(path);
  await letters.add([refusal(2)]);
  expect(sequencesIn()).toEqual([2]);
});

describe("full", () => {
  test("they lose the oldest, counted and logged, and stay below their bound", async () => {
    const letters = await openLetters(4000);
    for (let sequence = 1; sequence <= 100; sequence++) await letters.add([refusal(sequence)]);
    expect(statSync(path).size).toBeLessThanOrEqual(4000);
    const left = letters.waiting().events;
    expect(sequencesIn()).toEqual(Array.from({ length: left }, (_, n) => 101 - left + n));
    expect(letters.counts).toMatchObject({ addedEvents: 100, overflowedEvents: 100 - left });
    expect(log.lines[0]).toMatchObject({
      level: "error",
      message: "the dead-letter file is full; its oldest records are dropped",
    });
  });

  test("they do not lose one to the note that another was delivered", async () => {
    const letters = await openLetters(1000);
    let sequence = 0;
    while (letters.counts.overflowedEvents === 0) await letters.add([refusal(++sequence)]);
    while (1000 - statSync(path).size > 60) await letters.add([refusal(++sequence, "r")]);
    const { overflowedEvents } = letters.counts;
    const before = letters.waiting().events;
    await letters.noteDelivered([sequence]);
    expect(letters.waiting().events).toBe(before - 1);
    expect(letters.counts.overflowedEvents).toBe(overflowedEvents);
    expect(sequencesIn()).not.toContain(sequence);
  });

  test("a letter larger than all of them may be is dropped, counted and logged, and no other", async () => {
    const letters = await openLetters(1000);
    await letters.add([refusal(1), refusal(2, "413", `{"a":"${"x".repeat(2000)}"}`)]);
    expect(sequencesIn()).toEqual([1]);
    expect(letters.counts.overflowedEvents).toBe(1);
  });
});

describe("a request to send again", () => {
  test("gives the events out as they were, with their sequence numbers", async () => {
    const letters = await openLetters();
    const { event } = refusal(7, "", '{"a":"\\u001b","ä":1.0}');
    await letters.add([{ event, reason: "400" }]);
    await writeRequest(dir, "stub", "retry", [7]);
    expect(await letters.nextRetry(bounds)).toEqual([event]);
  });

  test("gives them out within the bounds, each once, and is over then", async () => {
    const letters = await openLetters();
    await letters.add([1, 2, 3, 4, 5].map((sequence) => refusal(sequence)));
    await writeRequest(dir, "stub", "retry", [1, 2, 4, 5]);
    const rounds = [];
    for (let events = await letters.nextRetry({ ...bounds, maxEvents: 3 }); events; ) {
      rounds.push(events.map(({ sequence }) => sequence));
      events = await letters.nextRetry({ ...bounds, maxEvents: 3 });
    }
    expect(rounds).toEqual([[1, 2, 4], [5]]);
    expect(sequencesIn()).toEqual([1, 2, 3, 4, 5]);
  });

  test("leaves no letter of those that were delivered", async () => {
    const letters = await openLetters();
    await letters.add([refusal(1), refusal(2)]);
    await retried(letters, [1, 2]);
    await letters.noteDelivered([1]);
    expect(await letters.nextRetry(bounds)).toBeUndefined();
    expect(sequencesIn()).toEqual([2]);
    expect(letters.counts.deliveredEvents).toBe(1);
  });

  test("goes on after a crash with those that are not delivered", async () => {
    const letters = await openLetters();
    await letters.add([refusal(1), refusal(2), refusal(3)]);
    await retried(letters, [1, 2, 3]);
    await letters.noteDelivered([1, 2]);
    const reopened = await openLetters();
    expect((await reopened.nextRetry(bounds))?.map(({ sequence }) => sequence)).toEqual([3]);
  });

  test("passes over numbers that are no letters", async () => {
    const letters = await openLetters();
    await letters.add([refusal(2)]);
    expect(await retried(letters, [1, 2, 99])).toEqual([2]);
  });
});

test("a request to drop takes them out of the file", async () => {
  const letters = await openLetters();
  await letters.add([refusal(1), refusal(2, "400", '{"secret":1}')]);
  await writeRequest(dir, "stub", "drop", [2]);
  expect(await letters.nextRetry(bounds)).toBeUndefined();
  expect(readFileSync(path, "utf8")).not.toContain("secret");
  expect(letters.counts.droppedEvents).toBe(1);
});

test("a request for another output is not served", async () => {
  const letters = await openLetters();
  await letters.add([refusal(1)]);
  await writeRequest(dir, "other", "drop", [1]);
  await letters.nextRetry(bounds);
  expect(letters.waiting().events).toBe(1);
});

test.each([
  "",
  "{",
  "null",
  '{"action":"rm","sequences":[1]}',
  '{"action":"drop","sequences":["1"]}',
  '{"action":"drop"}',
])("a request that reads %p is logged once and left, and the next is served", async (text) => {
  const letters = await openLetters();
  await letters.add([refusal(1)]);
  writeFileSync(join(dir, "dead-letters-stub.request-000000000000001-0.json"), text);
  expect(await retried(letters, [1])).toEqual([1]);
  await letters.nextRetry(bounds);
  expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
});
