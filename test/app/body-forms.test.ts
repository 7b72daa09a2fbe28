import { expect, setDefaultTimeout, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { maxTestMs, type RunningLoom, startExecutable } from "../support/executable.ts";
import { openConnection } from "../support/raw-connection.ts";
import { requestHead } from "../support/send.ts";

/* The forms of a body through the executable, over a plain socket. */

setDefaultTimeout(maxTestMs);

const codings = { gzip: gzipSync, deflate: deflateSync, zstd: zstdCompressSync };
const array = '[{"n":1.0},{"s":"\\u003c"}]';
const lines = '{"n":1.0}\r\n\n{"s":"\\u003c"}';
const linesType = { "content-type": "application/x-ndjson" };
const written = '{"n":1.0}\n{"s":"\\u003c"}\n';

/** Sends a body with its length, or in chunks of 7 bytes. @returns the status of the answer */
async function post(
  loom: RunningLoom,
  body: Uint8Array | string,
  headers: Readonly<Record<string, string>>,
  isChunked = false,
): Promise<number | undefined> {
  using connection = await openConnection(loom.ingestPort);
  const bytes = Buffer.from(body as Uint8Array);
  const framing: Record<string, string> = isChunked
    ? { "transfer-encoding": "chunked" }
    : { "content-length": String(bytes.length) };
  connection.send(requestHead({ ...headers, ...framing }));
  connection.send(isChunked ? inChunks(bytes) : bytes);
  return (await connection.statuses(1, 20_000))[0];
}

function inChunks(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 7) {
    const part = bytes.subarray(at, at + 7);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

test("an array, lines and objects, compressed or not, with a length or in chunks, are written alike", async () => {
  await using loom = await startExecutable();
  let count = 0;
  for (const isChunked of [false, true]) {
    for (const [body, headers] of [
      [array, {}],
      [lines, linesType],
    ] as const) {
      expect(await post(loom, body, headers, isChunked)).toBe(204);
      count++;
      for (const [coding, compress] of Object.entries(codings)) {
        const status = await post(
          loom,
          compress(body),
          { ...headers, "content-encoding": coding },
          isChunked,
        );
        expect([coding, status]).toEqual([coding, 204]);
        count++;
      }
    }
  }
  expect(loom.stdoutBytes().toString()).toBe(written.repeat(count));
});

test("one object is one event", async () => {
  await using loom = await startExecutable();
  expect(await post(loom, '{"one":1}', {})).toBe(204);
  expect(await post(loom, gzipSync('{"two":2}'), { "content-encoding": "gzip" })).toBe(204);
  expect(loom.stdoutBytes().toString()).toBe('{"one":1}\n{"two":2}\n');
});

test("bombs get 413, and cut off, doubly compressed and other data 400, and nothing is written", async () => {
  await using loom = await startExecutable();
  for (const [coding, compress] of Object.entries(codings)) {
    const headers = { "content-encoding": coding };
    const bomb = compress(Buffer.alloc(256 * 1024 * 1024, " "));
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(loom, bomb, headers)));
    expect([coding, ...answers]).toEqual([coding, ...answers.map(() => 413)]);
    expect(await post(loom, compress(array).subarray(0, -1), headers)).toBe(400);
    expect(await post(loom, compress(compress(array)), headers)).toBe(400);
    expect(await post(loom, array, headers)).toBe(400);
    expect(await post(loom, "", headers)).toBe(400);
  }
  expect(loom.stdoutBytes().length).toBe(0);
  expect(await post(loom, array, {})).toBe(204);
});

test("a length that is larger than the compressed body is not answered 204", async () => {
  await using loom = await startExecutable();
  using connection = await openConnection(loom.ingestPort);
  const body = gzipSync(array);
  const headers = { "content-encoding": "gzip", "content-length": body.length + 5 };
  await connection.sendAll(requestHead(headers));
  await connection.sendAll(body);
  connection[Symbol.dispose]();
  expect(await post(loom, "[]", {})).toBe(204);
  expect(loom.stdoutBytes().length).toBe(0);
});

test("a length that is smaller than the compressed body is 400", async () => {
  await using loom = await startExecutable();
  using connection = await openConnection(loom.ingestPort);
  const body = gzipSync(array);
  connection.send(requestHead({ "content-encoding": "gzip", "content-length": body.length - 5 }));
  connection.send(body);
  expect((await connection.statuses(1))[0]).toBe(400);
  expect(loom.stdoutBytes().length).toBe(0);
});
