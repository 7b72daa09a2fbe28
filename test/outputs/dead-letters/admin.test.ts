import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DeadLetters,
  deadLettersPath,
  openDeadLetters,
} from "../../../server/outputs/dead-letters/dead-letters.ts";
import { listRequests, readRequest, writeRequest } from "../../../server/outputs/dead-letters/requests.ts";
import { recordingLog } from "../../support/log.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

const bounds = { maxEvents: 100, maxBytes: 1024 * 1024 };
let dir: string;
let letters: DeadLetters;
const log = recordingLog();

beforeEach(async () => {
  log.lines.length = 0;
  dir = mkdtempSync(join(tmpdir(), "loom-desk-"));
  letters = await openDeadLetters({ dir, output: "stub", log });
});

afterEach(async () => {
  await letters.close();
  rmSync(dir, { recursive: true });
});

const refuse = (sequences: readonly number[], document?: string) =>
  letters.add(sequences.map((sequence) => ({ event: storedEvent(sequence, document), reason: "400 bad" })));

async function listed(after: number | undefined, limit: number) {
  const { records: shown, next } = await letters.list({ after, limit });
  return { sequences: shown.map(({ event }) => event.sequence), next };
}

async function askedFor(): Promise<(readonly number[])[]> {
  const requests = await Promise.all((await listRequests(dir, "stub")).map(readRequest));
  return requests.map(({ sequences }) => sequences);
}

test("pages are in the order of the numbers, whatever the order of refusal, and the last one says so", async () => {
  await refuse([5, 1, 9, 3, 7]);
  expect(await listed(undefined, 2)).toEqual({ sequences: [1, 3], next: 3 });
  expect(await listed(3, 2)).toEqual({ sequences: [5, 7], next: 7 });
  expect(await listed(7, 2)).toEqual({ sequences: [9], next: undefined });
  expect(await listed(9, 2)).toEqual({ sequences: [], next: undefined });
});

test("a page begins behind its number also when that letter is gone", async () => {
  await refuse([1, 3, 5]);
  await letters.noteDelivered([3]);
  expect(await listed(3, 10)).toEqual({ sequences: [5], next: undefined });
});

test("a page tells how many there are in all", async () => {
  await refuse([1, 2, 3]);
  expect((await letters.list({ after: 2, limit: 1 })).total).toBe(3);
});

test("a page of large documents ends early and goes on in the next", async () => {
  await refuse([1, 2, 3, 4], `{"x":"${"x".repeat(3 * 1024 * 1024)}"}`);
  expect(await listed(undefined, 10)).toEqual({ sequences: [1, 2, 3], next: 3 });
  expect(await listed(3, 10)).toEqual({ sequences: [4], next: undefined });
});

test("a letter is read whole", async () => {
  const document = '{"a":"\\u001b[31m","n":18446744073709551615}';
  await refuse([12], document);
  expect(await letters.read(12)).toMatchObject({
    event: storedEvent(12, document),
    reason: "400 bad",
    isRetryPending: false,
  });
  expect(await letters.read(13)).toBeUndefined();
});

test("a letter that the disk does not give back is left out of the list, and logged", async () => {
  await refuse([1, 2]);
  const path = deadLettersPath(dir, "stub");
  const [, second = ""] = (await Bun.file(path).text()).trimEnd().split("\n");
  writeFileSync(path, `${" ".repeat(second.length)}\n${second}\n`);
  expect(await listed(undefined, 10)).toEqual({ sequences: [2], next: undefined });
  expect(log.lines).toMatchObject([{ level: "error", fields: { output: "stub", sequence: 1 } }]);
  await expect(letters.read(1)).rejects.toThrow("no record");
});

test("letters are read while rewrites swap the file under them", async () => {
  const sequences = Array.from({ length: 20 }, (_, n) => n);
  const document = `{"x":"${"x".repeat(200_000)}"}`;
  await refuse(sequences, document);
  let isOver = false;
  let reads = 0;
  async function readOn(): Promise<void> {
    while (!isOver) {
      for (const sequence of sequences.slice(10)) {
        const letter = await letters.read(sequence);
        expect(letter?.event.document.toString()).toBe(document);
        reads++;
      }
    }
  }
  const readers = [readOn(), readOn(), readOn()];
  for (const sequence of sequences.slice(0, 10)) {
    await writeRequest(dir, "stub", "drop", [sequence]);
    await letters.nextRetry(bounds);
  }
  isOver = true;
  await Promise.all(readers);
  expect(reads).toBeGreaterThan(10);
  expect(letters.waiting().events).toBe(10);
});

describe("a request to send again", () => {
  test("asks for the letters that are there, in order, and counts them", async () => {
    await refuse([3, 1, 2]);
    expect(await letters.requestRetry([2, 99, 1, 2])).toBe(2);
    expect(await askedFor()).toEqual([[1, 2]]);
    expect((await letters.nextRetry(bounds))?.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  test("asks for all of them", async () => {
    await refuse([3, 1, 2]);
    expect(await letters.requestRetry("all")).toBe(3);
    expect(await askedFor()).toEqual([[1, 2, 3]]);
  });

  test("for none that is there leaves nothing behind", async () => {
    await refuse([1]);
    expect(await letters.requestRetry([2, 3])).toBe(0);
    expect(readdirSync(dir).filter((name) => name.includes("request"))).toEqual([]);
  });

  test("shows in list and letter until it is served", async () => {
    await refuse([1, 2]);
    await letters.requestRetry([2]);
    const { records: shown } = await letters.list({ after: undefined, limit: 10 });
    expect(shown.map(({ isRetryPending }) => isRetryPending)).toEqual([false, true]);
    expect((await letters.read(2))?.isRetryPending).toBe(true);
    // Given out, and then refused once more.
    await letters.nextRetry(bounds);
    await letters.nextRetry(bounds);
    expect((await letters.read(2))?.isRetryPending).toBe(false);
  });

  test("asks for nothing twice while it waits", async () => {
    await refuse([1, 2, 3]);
    await letters.requestRetry([2]);
    expect(await letters.requestRetry("all")).toBe(3);
    expect(await letters.requestRetry([1, 2, 3])).toBe(3);
    expect((await askedFor()).flat().sort()).toEqual([1, 2, 3]);
  });
});

test("what is asked to be dropped is shown no more, and not sent again", async () => {
  await refuse([1, 2]);
  await writeRequest(dir, "stub", "drop", [1]);
  expect(await letters.list({ after: undefined, limit: 10 })).toMatchObject({
    total: 1,
    records: [{ event: { sequence: 2 } }],
  });
  expect(await letters.read(1)).toBeUndefined();
  expect(await letters.requestRetry([1])).toBe(0);
});

test("a request that can't be read hides no letter", async () => {
  await refuse([1]);
  writeFileSync(join(dir, "dead-letters-stub.request-000000000000001-0.json"), '{"action":"drop"');
  expect(await listed(undefined, 10)).toEqual({ sequences: [1], next: undefined });
});
