import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { maxTestMs, plainConfig, type RunningLoom, startExecutable } from "../support/executable.ts";
import { openConnection, type RawConnection } from "../support/raw-connection.ts";
import { requestHead, send, wholeRequest } from "../support/send.ts";

setDefaultTimeout(maxTestMs);

const megabyte = 1024 * 1024;
let loom: RunningLoom;
beforeAll(async () => {
  loom = await startExecutable({ config: `${plainConfig}\n[limits]\nper_sensor_rps = -1\n` });
});
afterAll(() => loom[Symbol.asyncDispose]());

describe("an endless body is refused at once and does not fill memory", () => {
  const spaces = " ".repeat(0x10000);
  const chunk = `10000\r\n${spaces}\r\n`;
  const cases: [title: string, head: string, piece: string, status: number][] = [
    ["chunked", requestHead({ "transfer-encoding": "chunked" }), chunk, 413],
    ["declared as 10 GB", requestHead({ "content-length": 10_000_000_000 }), spaces, 413],
    ["chunked, with a wrong token", requestHead({ "transfer-encoding": "chunked" }, "wrong"), chunk, 401],
    ["declared, with a wrong token", requestHead({ "content-length": 10_000_000_000 }, "wrong"), spaces, 401],
    [
      "to a path that is none",
      requestHead({ "transfer-encoding": "chunked" }).replace("/ingest", "/x"),
      chunk,
      404,
    ],
  ];
  for (const [title, head, piece, status] of cases)
    test(title, async () => {
      using connection = await openConnection(loom.ingestPort);
      const memoryBefore = loom.memoryBytes();
      connection.send(head);
      await sendRepeatedly(connection, piece, 200 * megabyte);
      expect(await connection.statuses(1)).toEqual([status]);
      expect(loom.memoryBytes() - memoryBefore).toBeLessThan(32 * megabyte);
    });

  test("a body whose declared length is over the limit gets 413 before it is read", async () => {
    using connection = await openConnection(loom.ingestPort);
    connection.send(requestHead({ "content-length": 10_000_000_000 }));
    expect(await connection.statuses(1)).toEqual([413]);
  });

  test("chunks of one byte do not take a multiple of their size in memory", async () => {
    using connection = await openConnection(loom.ingestPort);
    const memoryBefore = loom.memoryBytes();
    connection.send(requestHead({ "transfer-encoding": "chunked" }));
    let highest = 0;
    for (let sent = 0; sent < 17; sent++) {
      await connection.sendAll("1\r\n \r\n".repeat(0x20000));
      highest = Math.max(highest, loom.memoryBytes());
    }
    expect(await connection.statuses(1)).toEqual([413]);
    expect(highest - memoryBefore).toBeLessThan(64 * megabyte);
  });
});

describe("malformed HTTP is answered 4xx or 5xx, and the connection is closed", () => {
  const good = requestHead({});
  const cases: [title: string, request: string][] = [
    ["a TLS handshake", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n"],
    ["another protocol", "EHLO loom.example\r\n\r\n"],
    ["a header of 64 KiB", good.replace("\r\n\r\n", `\r\nx: ${"a".repeat(0x10000)}\r\n\r\n`)],
    ["headers without end", good.replace("\r\n\r\n", "\r\nx: aaaaaaaaaaaaaaaa".repeat(10_000))],
    [
      "Content-Length and Transfer-Encoding",
      requestHead({ "content-length": 2, "transfer-encoding": "chunked" }),
    ],
    ["two lengths", requestHead({ "content-length": 2, "Content-Length": 3 })],
    ["a negative length", requestHead({ "content-length": -2 })],
    ["a length with a sign", requestHead({ "content-length": "+2" })],
    ["a length past any number", requestHead({ "content-length": "9".repeat(40) })],
    [
      "a chunk length that is not a number",
      `${requestHead({ "transfer-encoding": "chunked" })}zz\r\n[]\r\n0\r\n\r\n`,
    ],
    [
      "a chunk extension without end",
      `${requestHead({ "transfer-encoding": "chunked" })}2;${"a".repeat(0x20000)}`,
    ],
    ["a coding that is unknown", requestHead({ "transfer-encoding": "gzip" })],
    ["no Host", requestHead({}).replace("host: loom.example\r\n", "")],
    ["an escape sequence in a header", requestHead({ "x-spip-id": "\x1b[31m" })],
    ["an escape sequence in the path", requestHead({}).replace("/ingest", "/\x1b[31m")],
  ];
  for (const [title, request] of cases)
    test(title, async () => {
      using connection = await openConnection(loom.ingestPort);
      connection.send(request);
      await connection.closed();
      const statuses = [...connection.received().matchAll(/HTTP\/1\.1 (\d)/g)].map((match) => match[1]);
      expect(statuses.join("")).toMatch(/^[45]$/);
    });
});

describe("pipelined requests", () => {
  test("are answered in order if the answers are available at once", async () => {
    using connection = await openConnection(loom.ingestPort);
    const notPost = "GET /ingest HTTP/1.1\r\nhost: loom.example\r\n\r\n";
    connection.send(notPost + wholeRequest("[") + wholeRequest("[]", "wrong") + wholeRequest('[{"last":1}]'));
    expect(await connection.statuses(4)).toEqual([405, 400, 401, 204]);
  });

  // Bun's server closes the connection then, so that no answer can be mistaken for another. Sensors do not pipeline.
  test("never get the answer to another request if an answer takes time", async () => {
    using connection = await openConnection(loom.ingestPort);
    connection.send(wholeRequest('[{"kept":1}]') + wholeRequest("[]", "wrong"));
    await connection.closed();
    expect(connection.received()).toBe("");
    expect(await send(loom.ingestUrl, "[]")).toBe(204);
  });
});

test("nothing is kept of a batch whose sensor disconnects before its end", async () => {
  using connection = await openConnection(loom.ingestPort);
  connection.send(`${requestHead({ "content-length": 100 })}[{"gone":1}`);
  connection[Symbol.dispose]();
  await loom.logged("request refused", { reason: "client_closed_request" });
  expect(loom.stdoutBytes().toString()).not.toContain("gone");
});

test("the log shows text from unknown clients only escaped, and tokens never", async () => {
  await using quiet = await startExecutable();
  const odd = "\u009b31m\u0085\u202e\ufeff".normalize();
  const bytes = Buffer.from(odd).toString("latin1");
  using connection = await openConnection(quiet.ingestPort);
  connection.send(
    Buffer.from(requestHead({ "x-spip-id": bytes, "content-length": 0 }, `guessed${bytes}`), "latin1"),
  );
  connection.send(
    Buffer.from(requestHead({ "content-length": 0 }).replace("/ingest", `/${bytes}`), "latin1"),
  );
  connection.send(requestHead({ "content-length": 0 }, "guessed-token\tx"));
  await connection.statuses(1);
  await quiet.logged("request refused");
  expect(quiet.stderrText()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\ufeff]|guessed|31m/);
});

test("2,000 bad requests produce few log lines, whose counts add up to 2,000", async () => {
  await using quiet = await startExecutable();
  using connection = await openConnection(quiet.ingestPort);
  connection.send(wholeRequest("[]", "wrong").repeat(1_000));
  connection.send("GET /ingest HTTP/1.1\r\nhost: loom.example\r\n\r\n".repeat(1_000));
  await connection.statuses(2_000);
  quiet.signal("SIGTERM");
  await quiet.exited;
  const lines = quiet.stderrText().trimEnd().split("\n");
  expect(lines.length).toBeLessThan(15);
  expect((await quiet.logged("more requests refused", { reason: "unauthorized" }))[0]?.count).toBe(999);
});

test("200 silent connections do not keep a sensor from sending", async () => {
  const connections = await Promise.all(Array.from({ length: 200 }, () => openConnection(loom.ingestPort)));
  expect(await send(loom.ingestUrl, "[]")).toBe(204);
  for (const connection of connections) connection[Symbol.dispose]();
});

/** Sends until this many bytes are sent, or the connection is closed. */
async function sendRepeatedly(connection: RawConnection, piece: string, maxBytes: number): Promise<void> {
  const bytes = Buffer.from(piece);
  for (let sent = 0; sent < maxBytes; sent += bytes.length) if (!(await connection.sendAll(bytes))) return;
}
