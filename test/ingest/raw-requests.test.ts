import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Listener } from "../../server/http/listener.ts";
import { ingestWith } from "../support/ingest.ts";
import { openConnection } from "../support/raw-connection.ts";
import { until } from "../support/until.ts";

/*
 * What clients get for unusual requests, through a socket. docs/http.md has the same table. A test whose title ends with
 * "(Bun)" pins what Bun does against RFC 9110 or RFC 9112: if it fails with a new version of Bun, adapt the page and
 * docs/upstream.
 */

setDefaultTimeout(30_000);

type IngestOptions = Parameters<typeof ingestWith>[0];

async function listening(options: IngestOptions = {}) {
  const ingest = ingestWith(options);
  const listener = new Listener({
    name: "ingest",
    address: { text: "127.0.0.1:0", host: "127.0.0.1", port: 0 },
  });
  listener.listen(ingest.app.handle);
  const connection = await openConnection(listener.port);
  return {
    ...ingest,
    connection,
    async [Symbol.asyncDispose]() {
      connection[Symbol.dispose]();
      await listener.stop(0);
    },
  };
}

interface Parts {
  readonly requestLine?: string;
  readonly host?: string;
  readonly more?: readonly string[];
  readonly framing?: string;
  readonly body?: string;
}

const hostLine = "host: loom.example";
const contentLength2 = "content-length: 2";

/** A valid request with the empty batch, apart from the parts that are given. */
function raw({
  requestLine = "POST /ingest HTTP/1.1",
  host = hostLine,
  more = [],
  framing = contentLength2,
  body = "[]",
}: Parts = {}): string {
  const lines = [
    requestLine,
    host,
    "authorization: Bearer frankfurt-token",
    "content-type: application/json",
    ...more,
    framing,
  ];
  return `${lines
    .filter(Boolean)
    .map((line) => `${line}\r\n`)
    .join("")}\r\n${body}`;
}

/** What arrives for a request: the status of each answer, and "closed" if the connection is closed after them. */
async function answersTo(request: string, count: number, isClosed: boolean): Promise<unknown[]> {
  await using ingest = await listening();
  ingest.connection.send(request);
  const statuses = count > 0 ? await ingest.connection.statuses(count) : [];
  if (!isClosed) return [...statuses];
  await ingest.connection.closed();
  return [...statuses, "closed"];
}

describe("a Host header", () => {
  for (const host of [
    "",
    "a",
    "vm1",
    "a:80",
    "vm12",
    "loom.example",
    "192.0.2.1",
    "[::1]:8080",
    "a.example.",
    "*",
  ])
    test(`"${host}" is accepted`, async () => {
      expect(await answersTo(raw({ host: `host: ${host}` }), 1, false)).toEqual([204]);
    });

  for (const host of [
    "a/b",
    "loom.example/ingest",
    "u:p@loom.example",
    "a?x#y",
    "a b",
    "a\\b",
    "::1",
    "ä",
    "a:x",
  ])
    test(`"${host}" is 400, and the client's address is known`, async () => {
      await using ingest = await listening();
      ingest.connection.send(raw({ host: `host: ${host}` }));
      expect(await ingest.connection.statuses(1)).toEqual([400]);
      expect(ingest.connection.received()).toEndWith('{"error":"invalid_request"}');
      expect(ingest.refusals).toMatchObject([{ reason: "invalid_request", client: "127.0.0.1" }]);
      expect(ingest.kept).toEqual([]);
    });

  for (const [name, second] of [
    ["different", "host: other.example"],
    ["equal", hostLine],
    ["empty", "host:"],
  ] as const)
    test(`with a second, ${name} one is 400`, async () => {
      expect(await answersTo(raw({ more: [second] }), 1, false)).toEqual([400]);
    });

  test("is required by HTTP/1.1", async () => {
    expect(await answersTo(raw({ host: "" }), 1, true)).toEqual([400, "closed"]);
  });

  test("is not required by HTTP/1.0, whose connection is closed after the answer", async () => {
    const request = raw({ requestLine: "POST /ingest HTTP/1.0", host: "" });
    expect(await answersTo(request, 1, true)).toEqual([204, "closed"]);
  });
});

describe("the connection is known whatever the Host header is:", () => {
  const forms = [
    { name: "3 characters", host: "host: vm1" },
    { name: "1 character", host: "host: a" },
    { name: "empty", host: "host:" },
    { name: "HTTP/1.0 without one", host: "", requestLine: "POST /ingest HTTP/1.0" },
  ] as const;
  for (const { name, ...parts } of forms) {
    const { host } = parts;
    test(`${name}: the client's address`, async () => {
      await using ingest = await listening();
      ingest.connection.send(raw({ ...parts, body: "no" }));
      expect(await ingest.connection.statuses(1)).toEqual([400]);
      expect(ingest.refusals).toMatchObject([{ sensorId: "vps-frankfurt-01", client: "127.0.0.1" }]);
    });

    test(`${name}: a body in parts, with a length and in chunks`, async () => {
      const inParts = [
        ["content-length: 9", ['[{"a"', ":1}]"]],
        ["transfer-encoding: chunked", ['5\r\n[{"a"\r\n', "4\r\n:1}]\r\n0\r\n\r\n"]],
      ] as const;
      // Version 1.0 has no chunks: Bun refuses them, as RFC 9112 6.1 allows.
      for (const [framing, [first, second]] of host === "" ? inParts.slice(0, 1) : inParts) {
        await using ingest = await listening();
        await ingest.connection.sendAll(raw({ ...parts, framing, body: first }));
        ingest.connection.send(second);
        expect(await ingest.connection.statuses(1)).toEqual([204]);
        expect(ingest.kept.map(({ lines }) => String(lines))).toEqual(['{"a":1}\n']);
      }
    });
  }

  test("the time limit of a body ends the connection with each form", async () => {
    const limits: number[] = [];
    const ingest = ingestWith();
    const listener = new Listener({
      name: "ingest",
      address: { text: "127.0.0.1:0", host: "127.0.0.1", port: 0 },
    });
    listener.listen((request, connection) =>
      ingest.app.handle(request, {
        get clientAddress() {
          return connection.clientAddress;
        },
        limitTime(seconds) {
          limits.push(seconds ?? 0);
          // Bun checks the time limits of its connections every four seconds.
          connection.limitTime(seconds === undefined ? undefined : 4);
        },
      }),
    );
    const connections = await Promise.all(
      forms.map(async (parts) => {
        const connection = await openConnection(listener.port);
        connection.send(raw({ ...parts, framing: "content-length: 10", body: "half" }));
        return connection;
      }),
    );
    await Promise.all(connections.map((connection) => connection.closed(20_000)));
    await until("every request is refused", () => ingest.refusals.length === forms.length);
    expect(ingest.refusals.map(({ reason }) => reason)).toEqual(forms.map(() => "client_closed_request"));
    expect(limits.filter((seconds) => seconds === 30)).toHaveLength(forms.length);
    await listener.stop(0);
  });
});

describe("a length", () => {
  for (const [name, framing] of [
    ["with Transfer-Encoding", "content-length: 2\r\ntransfer-encoding: chunked"],
    ["after Transfer-Encoding", "transfer-encoding: chunked\r\ncontent-length: 2"],
    ["and a different one", "content-length: 2\r\ncontent-length: 4"],
    ["that is a list", "content-length: 2, 2"],
    ["with a sign", "content-length: +2"],
    ["that is negative", "content-length: -2"],
    ["in hexadecimal", "content-length: 0x2"],
    ["that is empty", "content-length:"],
    ["of 23 digits", "content-length: 99999999999999999999999"],
  ] as const)
    test(`${name} is 400 and closes the connection`, async () => {
      expect(await answersTo(raw({ framing }), 1, true)).toEqual([400, "closed"]);
    });

  test("that is sent twice and equal counts once", async () => {
    const framing = `${contentLength2}\r\n${contentLength2}`;
    expect(await answersTo(raw({ framing }), 1, false)).toEqual([204]);
  });
});

describe("a chunked body", () => {
  const framing = "transfer-encoding: chunked";
  test("may name the coding in capitals, and have chunk extensions", async () => {
    const request = raw({ framing: "Transfer-Encoding: CHUNKED", body: "2;a=b\r\n[]\r\n0\r\n\r\n" });
    expect(await answersTo(request, 1, false)).toEqual([204]);
  });

  for (const [name, body] of [
    ["with an invalid size", "zz\r\n[]\r\n0\r\n\r\n"],
    ["whose lines end with LF alone", "2\n[]\n0\n\n"],
  ] as const)
    test(`${name} is 400, and nothing is kept`, async () => {
      await using ingest = await listening();
      ingest.connection.send(raw({ framing, body }));
      expect(await ingest.connection.statuses(1)).toEqual([400]);
      await ingest.connection.closed();
      expect(ingest.kept).toEqual([]);
    });

  for (const coding of ["gzip", "gzip, chunked"])
    test(`with the transfer coding ${coding} is 400`, async () => {
      expect(await answersTo(raw({ framing: `transfer-encoding: ${coding}` }), 1, true)).toEqual([
        400,
        "closed",
      ]);
    });
});

describe("an expectation", () => {
  /** Sends the body only when the head was answered, or when `waits` is false. */
  const expecting = async (value: string, waits: boolean) => {
    await using ingest = await listening();
    await ingest.connection.sendAll(raw({ more: [`expect: ${value}`], body: "" }));
    if (waits) await ingest.connection.statuses(1);
    ingest.connection.send("[]");
    return await ingest.connection.statuses(waits ? 2 : 1);
  };

  test("of 100-continue is answered 100 before the body is sent", async () => {
    expect(await expecting("100-continue", true)).toEqual([100, 204]);
  });

  test("of 100-Continue in capitals is not answered, but the request is (Bun)", async () => {
    expect(await expecting("100-Continue", false)).toEqual([204]);
  });

  test("that is unknown is ignored, as RFC 9110 10.1.1 allows", async () => {
    expect(await expecting("a-miracle", false)).toEqual([204]);
  });
});

describe("a method", () => {
  for (const method of ["PUT", "DELETE", "TRACE", "PROPFIND", "QUERY"])
    test(`${method} is 405`, async () => {
      expect(
        await answersTo(raw({ requestLine: `${method} /ingest HTTP/1.1`, framing: "", body: "" }), 1, false),
      ).toEqual([405]);
    });

  for (const method of ["post", "get", "FOO"])
    test(`${method} closes the connection without an answer (Bun)`, async () => {
      expect(await answersTo(raw({ requestLine: `${method} /ingest HTTP/1.1` }), 0, true)).toEqual([
        "closed",
      ]);
    });
});

describe("a request target", () => {
  for (const target of ["http://other.example/ingest", "/../ingest", "/ingest?a=b"])
    test(`${target} leads to the path`, async () => {
      expect(await answersTo(raw({ requestLine: `POST ${target} HTTP/1.1` }), 1, false)).toEqual([204]);
    });

  test("//other.example/ingest is not found", async () => {
    const request = raw({ requestLine: "POST //other.example/ingest HTTP/1.1" });
    expect(await answersTo(request, 1, false)).toEqual([404]);
  });

  for (const target of ["*", "ingest", "other.example:80"])
    test(`${target} is 400`, async () => {
      expect(await answersTo(raw({ requestLine: `POST ${target} HTTP/1.1` }), 1, true)).toEqual([
        400,
        "closed",
      ]);
    });
});

describe("a malformed head", () => {
  for (const [name, request, status] of [
    ["with a space before the colon", raw({ more: ["x-a : b"] }), 400],
    ["with a folded line", raw({ more: ["x-a: b", " c"] }), 400],
    ["with a zero byte", raw({ more: ["x-a: b\0c"] }), 400],
    ["whose lines end with LF alone", raw().replaceAll("\r\n", "\n"), 505],
    ["with a space in the target (Bun)", raw({ requestLine: "POST /in gest HTTP/1.1" }), 505],
    ["of version 2.0", raw({ requestLine: "POST /ingest HTTP/2.0" }), 505],
    ["of version 1.2 (Bun)", raw({ requestLine: "POST /ingest HTTP/1.2" }), 505],
    ["behind a PROXY protocol header of version 1", `PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n${raw()}`, 400],
    ["behind one of version 2", `\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c${"\x01".repeat(12)}${raw()}`, 400],
    ["with an empty line before it (Bun)", `\r\n${raw()}`, 400],
    ["larger than 16 KiB", raw({ more: [`x-a: ${"x".repeat(20_000)}`] }), 431],
    ["with 300 lines", raw({ more: Array.from({ length: 300 }, (_, i) => `x-${i}: 1`) }), 431],
  ] as const)
    test(`${name} is ${status} and closes the connection`, async () => {
      expect(await answersTo(request, 1, true)).toEqual([status, "closed"]);
    });
});

describe("bytes behind a batch that was answered", () => {
  for (const [name, bytes, statuses] of [
    ["an empty line is 400 (Bun)", "\r\n", [204, 400]],
    ["garbage is 400", "garbage\r\n\r\n", [204, 400]],
  ] as const)
    test(`${name}, after the 204, and the connection is closed`, async () => {
      expect(await answersTo(raw() + bytes, 2, true)).toEqual([...statuses, "closed"]);
    });

  test("that are a part of a line wait for the rest", async () => {
    expect(await answersTo(`${raw()}garbage`, 1, false)).toEqual([204]);
  });

  test("that are the next request are answered in order", async () => {
    const next = raw({ requestLine: "PUT /ingest HTTP/1.1" });
    expect(await answersTo(raw() + next + raw(), 3, false)).toEqual([204, 405, 204]);
  });
});

/** Sends a batch and further bytes in one packet or in two. The bytes arrive before the batch is kept. */
async function keepingWith(request: string, bytes: string, isOnePacket: boolean) {
  const keeping = Promise.withResolvers<void>();
  const hold = Promise.withResolvers<void>();
  const ingest = await listening({
    keep: () => {
      keeping.resolve();
      return hold.promise;
    },
  });
  await ingest.connection.sendAll(isOnePacket ? request + bytes : request);
  await keeping.promise;
  if (!isOnePacket) await ingest.connection.sendAll(bytes);
  return { ...ingest, release: hold.resolve };
}

describe("bytes behind a batch while it is being kept", () => {
  for (const isOnePacket of [true, false]) {
    const packets = isOnePacket ? "one packet" : "two packets";
    for (const [name, bytes, answer] of [
      ["an empty line is 400", "\r\n", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"],
      ["garbage is 400", "garbage\r\n\r\n", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"],
      ["another request closes the connection", raw(), ""],
    ] as const)
      test(`${name} instead of the 204, in ${packets} (Bun)`, async () => {
        await using held = await keepingWith(raw(), bytes, isOnePacket);
        await held.connection.closed();
        expect(held.connection.received()).toBe(answer);
        held.release();
        // The batch is kept and counted all the same: sending it again makes a second copy.
        await until(
          "the batch is kept",
          () => held.ledger.sensor("vps-frankfurt-01").requestsByStatus.get(204) === 1,
        );
      });

    for (const bytes of ["\r\n", "garbage\r\n\r\n", raw()])
      test(`${JSON.stringify(bytes.slice(0, 10))} is ignored in ${packets} if the request says Connection: close`, async () => {
        await using held = await keepingWith(raw({ more: ["connection: close"] }), bytes, isOnePacket);
        held.release();
        expect(await held.connection.statuses(1)).toEqual([204]);
        await held.connection.closed();
        expect(held.connection.received().match(/HTTP\/1\.1/g)).toHaveLength(1);
      });
  }
});
