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
let deadLetters: DeadLetters;
const log = recordingLog();

beforeEach(async () => {
  log.lines.length = 0;
  dir = mkdtempSync(join(tmpdir(), "loom-dead-letters-"));
  deadLetters = await openDeadLetters({ dir, output: "stub", log });
});

afterEach(async () => {
  await deadLetters.close();
  rmSync(dir, { recursive: true });
});

const reject = (sequences: readonly number[], document?: string) =>
  deadLetters.add(
    sequences.map((sequence) => ({ event: storedEvent(sequence, document), reason: "400 bad" })),
  );

async function listed(after: number | undefined, limit: number) {
  const { records, next } = await deadLetters.list({ after, limit });
  return { sequences: records.map(({ event }) => event.sequence), next };
}

async function requested(): Promise<(readonly number[])[]> {
  const requests = await Promise.all((await listRequests(dir, "stub")).map(readRequest));
  return requests.map(({ sequences }) => sequences);
}

test("pages are ordered by sequence number, whatever the order of rejection, and the last page has no next one", async () => {
  await reject([5, 1, 9, 3, 7]);
  expect(await listed(undefined, 2)).toEqual({ sequences: [1, 3], next: 3 });
  expect(await listed(3, 2)).toEqual({ sequences: [5, 7], next: 7 });
  expect(await listed(7, 2)).toEqual({ sequences: [9], next: undefined });
  expect(await listed(9, 2)).toEqual({ sequences: [], next: undefined });
});

test("a page begins after its number even if that record is gone", async () => {
  await reject([1, 3, 5]);
  await deadLetters.noteDelivered([3]);
  expect(await listed(3, 10)).toEqual({ sequences: [5], next: undefined });
});

test("a page has the total number of records", async () => {
  await reject([1, 2, 3]);
  expect((await deadLetters.list({ after: 2, limit: 1 })).total).toBe(3);
});

test("a page of large documents ends early, and the next page has the rest", async () => {
  await reject([1, 2, 3, 4], `{"x":"${"x".repeat(3 * 1024 * 1024)}"}`);
  expect(await listed(undefined, 10)).toEqual({ sequences: [1, 2, 3], next: 3 });
  expect(await listed(3, 10)).toEqual({ sequences: [4], next: undefined });
});

test("a record is read with its whole event", async () => {
  const document = '{"a":"\\u001b[31m","n":18446744073709551615}';
  await reject([12], document);
  expect(await deadLetters.read(12)).toMatchObject({
    event: storedEvent(12, document),
    reason: "400 bad",
    isRetryPending: false,
  });
  expect(await deadLetters.read(13)).toBeUndefined();
});

test("a record that cannot be read is left out of the list, and logged", async () => {
  await reject([1, 2]);
  const path = deadLettersPath(dir, "stub");
  const [, second = ""] = (await Bun.file(path).text()).trimEnd().split("\n");
  writeFileSync(path, `${" ".repeat(second.length)}\n${second}\n`);
  expect(await listed(undefined, 10)).toEqual({ sequences: [2], next: undefined });
  expect(log.lines).toMatchObject([{ level: "error", fields: { output: "stub", sequence: 1 } }]);
  await expect(deadLetters.read(1)).rejects.toThrow("no record");
});

test("records can be read while compactions replace the file", async () => {
  const sequences = Array.from({ length: 20 }, (_, n) => n);
  const document = `{"x":"${"x".repeat(200_000)}"}`;
  await reject(sequences, document);
  let isOver = false;
  let reads = 0;
  async function readOn(): Promise<void> {
    while (!isOver) {
      for (const sequence of sequences.slice(10)) {
        const record = await deadLetters.read(sequence);
        expect(record?.event.document.toString()).toBe(document);
        reads++;
      }
    }
  }
  const readers = [readOn(), readOn(), readOn()];
  for (const sequence of sequences.slice(0, 10)) {
    await writeRequest(dir, "stub", "drop", [sequence]);
    await deadLetters.nextRetry(bounds);
  }
  isOver = true;
  await Promise.all(readers);
  expect(reads).toBeGreaterThan(10);
  expect(deadLetters.waiting().events).toBe(10);
});

describe("a request to retry", () => {
  test("names the records found, in order, and returns their number", async () => {
    await reject([3, 1, 2]);
    expect(await deadLetters.requestRetry([2, 99, 1, 2])).toBe(2);
    expect(await requested()).toEqual([[1, 2]]);
    expect((await deadLetters.nextRetry(bounds))?.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  test("can name all records", async () => {
    await reject([3, 1, 2]);
    expect(await deadLetters.requestRetry("all")).toBe(3);
    expect(await requested()).toEqual([[1, 2, 3]]);
  });

  test("is not written if no record is found", async () => {
    await reject([1]);
    expect(await deadLetters.requestRetry([2, 3])).toBe(0);
    expect(readdirSync(dir).filter((name) => name.includes("request"))).toEqual([]);
  });

  test("is shown in the list and with the record until it is served", async () => {
    await reject([1, 2]);
    await deadLetters.requestRetry([2]);
    const { records: shown } = await deadLetters.list({ after: undefined, limit: 10 });
    expect(shown.map(({ isRetryPending }) => isRetryPending)).toEqual([false, true]);
    expect((await deadLetters.read(2))?.isRetryPending).toBe(true);
    // The event is returned, and then the request ends.
    await deadLetters.nextRetry(bounds);
    await deadLetters.nextRetry(bounds);
    expect((await deadLetters.read(2))?.isRetryPending).toBe(false);
  });

  test("does not name records whose retry is pending", async () => {
    await reject([1, 2, 3]);
    await deadLetters.requestRetry([2]);
    expect(await deadLetters.requestRetry("all")).toBe(3);
    expect(await deadLetters.requestRetry([1, 2, 3])).toBe(3);
    expect((await requested()).flat().sort()).toEqual([1, 2, 3]);
  });
});

test("a record that is requested to be dropped is neither shown nor retried", async () => {
  await reject([1, 2]);
  await writeRequest(dir, "stub", "drop", [1]);
  expect(await deadLetters.list({ after: undefined, limit: 10 })).toMatchObject({
    total: 1,
    records: [{ event: { sequence: 2 } }],
  });
  expect(await deadLetters.read(1)).toBeUndefined();
  expect(await deadLetters.requestRetry([1])).toBe(0);
});

test("a request that cannot be read does not hide a record", async () => {
  await reject([1]);
  writeFileSync(join(dir, "dead-letters-stub.request-000000000000001-0.json"), '{"action":"drop"');
  expect(await listed(undefined, 10)).toEqual({ sequences: [1], next: undefined });
});
