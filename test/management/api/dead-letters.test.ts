import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeadLettersAnswer } from "../../../server/management/api/answers.ts";
import { createDeadLettersApi } from "../../../server/management/api/dead-letters.ts";
import { type DeadLetters, openDeadLetters } from "../../../server/outputs/dead-letters/dead-letters.ts";
import { silentLog } from "../../support/log.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

const rejectedAt = Date.UTC(2026, 4, 1);
const errors: Error[] = [];
let dir: string;
let letters: DeadLetters;
let api: ReturnType<typeof createDeadLettersApi>;

beforeEach(async () => {
  errors.length = 0;
  dir = mkdtempSync(join(tmpdir(), "loom-api-"));
  letters = await openDeadLetters({ dir, output: "clickhouse", log: silentLog, now: () => rejectedAt });
  api = createDeadLettersApi({
    deadLetters: (output) => (output === "clickhouse" ? letters : undefined),
    onError: (error) => void errors.push(error),
    bodyBounds: { maxBytes: 256 * 1024, maxMs: 50 },
  });
});

afterEach(async () => {
  await letters.close();
  rmSync(dir, { recursive: true });
});

async function reject(count: number, document = '{"a":1}', reason = "exception 27: bad"): Promise<void> {
  const sequences = Array.from({ length: count }, (_, n) => n + 1);
  await letters.add(sequences.map((sequence) => ({ event: storedEvent(sequence, document), reason })));
}

async function ask(path: string, init?: RequestInit) {
  const response = await api.handle(new Request(`http://loom.example/api/v1/outputs${path}`, init));
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function list(query = ""): Promise<DeadLettersAnswer> {
  const { status, text } = await ask(`/clickhouse/dead-letters${query}`);
  expect(status).toBe(200);
  return JSON.parse(text);
}

function retry(body: string | ReadableStream, contentType = "application/json") {
  const headers = { "content-type": contentType };
  return ask("/clickhouse/dead-letters/retry", { method: "POST", headers, body });
}

describe("the list of dead letters", () => {
  test("has the fields of each record", async () => {
    await reject(1, '{"n":18446744073709551615}');
    expect(await list()).toEqual({
      output: "clickhouse",
      total: 1,
      records: [
        {
          sequence: 1,
          sensorId: "vps-1",
          receivedAt: 0,
          rejectedAt,
          reason: "exception 27: bad",
          isRetryPending: false,
          document: '{"n":18446744073709551615}',
          documentBytes: 26,
        },
      ],
      next: null,
    });
  });

  test("has 50 records a page by default, and the start of the next page", async () => {
    await reject(120);
    const first = await list();
    expect([first.total, first.records.length, first.next]).toEqual([120, 50, 50]);
    const last = await list("?after=50&limit=100");
    expect(last.records.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 70 }, (_, n) => 51 + n),
    );
    expect(last.next).toBeNull();
  });

  test("cuts documents to 300 characters, without half a surrogate pair", async () => {
    const document = `{"a":"${"😀".repeat(200)}"}`;
    await reject(1, document);
    const [record] = (await list()).records;
    expect(record?.document).toBe(document.slice(0, 300));
    expect(record?.documentBytes).toBe(Buffer.byteLength(document));
    expect(record?.document.isWellFormed()).toBe(true);
  });

  test("is not cached", async () => {
    const { headers } = await ask("/clickhouse/dead-letters");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
  });

  test.each([
    "limit=0",
    "limit=101",
    "limit=x",
    "limit=",
    "limit=1.5",
    "after=-1",
    "after=x",
    "after=",
    "after=99999999999999999",
  ])("with %s is an invalid request", async (query) => {
    expect(await ask(`/clickhouse/dead-letters?${query}`)).toMatchObject({
      status: 400,
      text: '{"error":"invalid_request"}',
    });
  });
});

describe("one record", () => {
  test("has its whole document", async () => {
    const document = `{"x":"${"x".repeat(100_000)}"}`;
    await reject(2, document);
    const { status, text } = await ask("/clickhouse/dead-letters/2");
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ sequence: 2, document, documentBytes: document.length });
  });

  test.each(["3", "0", "-1", "x", "1.0", "1e0", "99999999999999999999", "__proto__", "retry", "%e0"])(
    "%s without a record is not found",
    async (sequence) => {
      await reject(1);
      expect(await ask(`/clickhouse/dead-letters/${sequence}`)).toMatchObject({
        status: 404,
        text: '{"error":"not_found"}',
      });
    },
  );
});

describe("an unknown output", () => {
  test.each(["nowhere", "__proto__", "constructor", "..%2fclickhouse", "%20"])(
    "%s has no list",
    async (output) => {
      expect((await ask(`/${output}/dead-letters`)).status).toBe(404);
    },
  );

  test("accepts no request", async () => {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: '{"all":true}' };
    expect((await ask("/nowhere/dead-letters/retry", init)).status).toBe(404);
  });
});

describe("a request to retry", () => {
  test("for some numbers is accepted, with the number of records found", async () => {
    await reject(3);
    expect(await retry('{"sequences":[2,3,99]}')).toMatchObject({ status: 202, text: '{"requested":2}' });
    expect((await list()).records.map(({ isRetryPending }) => isRetryPending)).toEqual([false, true, true]);
  });

  test("for all records is accepted, with their number", async () => {
    await reject(3);
    expect(await retry('{"all":true}', "application/json; charset=utf-8")).toMatchObject({
      status: 202,
      text: '{"requested":3}',
    });
  });

  test.each(['{"sequences":[99]}', '{"all":true}'])("%s without any record is not found", async (body) => {
    expect(await retry(body)).toMatchObject({ status: 404, text: '{"error":"not_found"}' });
  });

  test("may name at most 10,000 numbers", async () => {
    await reject(1);
    const some = (count: number) => JSON.stringify({ sequences: Array.from({ length: count }, (_, n) => n) });
    expect((await retry(some(10_000))).status).toBe(202);
    expect((await retry(some(10_001))).status).toBe(400);
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    "12",
    "{}",
    '{"all":false}',
    '{"all":1}',
    '{"sequences":[]}',
    '{"sequences":"1"}',
    '{"sequences":["1"]}',
    '{"sequences":[1.5]}',
    '{"sequences":[-1]}',
    '{"sequences":[1e300]}',
    '{"sequences":[1],"all":true}',
    '{"sequences":[1],"output":"x"}',
    '{"__proto__":{"all":true}}',
  ])("with %p is invalid and requests nothing", async (body) => {
    await reject(1);
    expect(await retry(body)).toMatchObject({ status: 400, text: '{"error":"invalid_request"}' });
    expect((await list()).records[0]?.isRetryPending).toBe(false);
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/jsonp",
    "",
  ])("as %p is an invalid request", async (contentType) => {
    await reject(1);
    expect((await retry('{"all":true}', contentType)).status).toBe(400);
  });

  test("with more than 256 KiB is an invalid request", async () => {
    await reject(1);
    expect((await retry(`{"all":true${" ".repeat(256 * 1024)}}`)).status).toBe(400);
  });

  test("whose body does not arrive is aborted", async () => {
    await reject(1);
    expect((await retry(new ReadableStream({ pull: () => new Promise(() => {}) }))).status).toBe(400);
  });
});

test("hostile text is returned unchanged, in JSON strings, and bounded", async () => {
  const text = "<script>alert(1)</script>\u001b]0;x\u0007\u202e\u2028";
  const document = JSON.stringify({ text, __proto__: 1, long: "x".repeat(100_000) });
  await reject(1, document, text + "r".repeat(100_000));
  const shown = await ask("/clickhouse/dead-letters");
  const [record] = JSON.parse(shown.text).records;
  expect(record.reason).toStartWith(text);
  expect(record.document).toBe(document.slice(0, 300));
  expect(shown.text.length).toBeLessThan(4000);
  expect(shown.text).not.toContain("\u001b");
  const whole = JSON.parse((await ask("/clickhouse/dead-letters/1")).text);
  expect(whole.document).toBe(document);
});

describe("files that fail", () => {
  beforeEach(async () => {
    await reject(1);
    rmSync(dir, { recursive: true });
  });
  afterEach(() => {
    mkdirSync(dir);
  });

  test("are answered with 503 without the reason, which is only logged", async () => {
    for (const answer of [await ask("/clickhouse/dead-letters"), await retry('{"all":true}')]) {
      expect(answer).toMatchObject({ status: 503, text: '{"error":"unavailable"}' });
      expect(answer.headers.get("retry-after")).toBe("5");
    }
    expect(errors.map(({ message }) => message.slice(0, 6))).toEqual(["ENOENT", "ENOENT"]);
  });
});
