import { afterEach, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { type ClickhouseOptions, createClickhouseOutput } from "../../../server/outputs/clickhouse/output.ts";
import type { SendOutcome } from "../../../server/outputs/output.ts";
import { recordingLog, silentLog } from "../../support/log.ts";
import { until } from "../../support/until.ts";
import { deliveryOf } from "./deliveries.ts";

interface Seen {
  readonly query: string;
  readonly parameters: URLSearchParams;
  readonly request: Request;
  readonly body: Buffer;
}

const stopping: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop();
});

/** A stand-in for ClickHouse that answers its version, and everything else as the test says. */
function standIn(
  answer: (seen: Seen) => Response | Promise<Response> = () => new Response(),
  version = "24.8.4.13",
) {
  const seen: Seen[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const parameters = new URL(request.url).searchParams;
      const body = Buffer.from(await request.arrayBuffer());
      const one = { query: parameters.get("query") ?? "", parameters, request, body };
      seen.push(one);
      return one.query === "SELECT version()" ? new Response(`${version}\n`) : answer(one);
    },
  });
  stopping.push(() => server.stop(true));
  return {
    url: server.url.href,
    queries: () => seen.map(({ query }) => query.split(/[ (]/)[0]),
    inserts: () => seen.filter(({ query }) => query.startsWith("INSERT")),
    seen,
  };
}

/** A stand-in without an HTTP server: it answers its version, and then an INSERT with these bytes. It may close the connection. */
function rawStandIn(bytes: string, isClosing = true) {
  let inserts = 0;
  const server = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      data(socket, data) {
        const isVersion = data.includes("SELECT+version");
        if (!isVersion) inserts++;
        socket.write(isVersion ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n24.8\n" : bytes);
        if (isVersion || isClosing) socket.end();
      },
    },
  });
  stopping.push(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}`, inserts: () => inserts };
}

function outputTo(url: string, options: Partial<ClickhouseOptions> = {}) {
  const output = createClickhouseOutput({
    url,
    database: "default",
    table: "loom_events",
    user: undefined,
    password: undefined,
    createTable: false,
    log: silentLog,
    ...options,
  });
  return (delivery = deliveryOf(['{"a":1}']), signal = AbortSignal.timeout(5000)): Promise<SendOutcome> =>
    output.send(delivery, signal);
}

const exception = (code: number, status = 500) =>
  new Response(`Code: ${code}. DB::Exception: Words. (NAME)`, { status });

test("a delivery is one INSERT with its rows in the body", async () => {
  const server = standIn();
  expect(await outputTo(server.url)(deliveryOf(['{"a":"\\n"}', "{}"]))).toEqual({ kind: "delivered" });
  const [insert] = server.inserts();
  expect(insert?.request.method).toBe("POST");
  expect(insert?.query).toBe("INSERT INTO `default`.`loom_events` (event) FORMAT JSONEachRow");
  expect(insert?.body.toString()).toBe(`{"event":"{\\"a\\":\\"\\\\n\\"}"}\n{"event":"{}"}\n`);
});

test("a large body is compressed with gzip", async () => {
  const server = standIn();
  const document = `{"a":"${"x".repeat(5000)}"}`;
  await outputTo(server.url)(deliveryOf([document]));
  const [insert] = server.inserts();
  expect(insert?.request.headers.get("content-encoding")).toBe("gzip");
  expect(JSON.parse(gunzipSync(insert?.body ?? "").toString())).toEqual({ event: document });
});

test("a new server is told to wait for the disk and to drop a repeated batch", async () => {
  const server = standIn();
  await outputTo(server.url)(deliveryOf(["{}", "{}", "{}"], 41));
  expect(Object.fromEntries(server.inserts()[0]?.parameters ?? [])).toMatchObject({
    wait_end_of_query: "1",
    async_insert: "0",
    insert_deduplicate: "1",
    insert_deduplication_token: "outbox1-41-43",
  });
});

test.each([
  ["18.16.1", false, false],
  ["21.10.5.3", false, false],
  ["21.11.1.1", true, false],
  ["22.2.2.1", true, true],
])("a server of version %s gets only settings that it knows", async (version, isAsync, hasToken) => {
  const server = standIn(undefined, version);
  await outputTo(server.url)();
  const parameters = server.inserts()[0]?.parameters;
  expect(parameters?.has("async_insert")).toBe(isAsync);
  expect(parameters?.has("insert_deduplication_token")).toBe(hasToken);
});

test("the token of events with gaps between them depends on each of their numbers", async () => {
  const server = standIn();
  const send = outputTo(server.url);
  const tokenOf = async (...sequences: number[]) => {
    const events = sequences.flatMap((sequence) => deliveryOf(["{}"], sequence).events);
    await send({ outboxId: "outbox1", events });
    return server.inserts().at(-1)?.parameters.get("insert_deduplication_token");
  };
  const tokens = [await tokenOf(3, 4, 5, 7), await tokenOf(3, 5, 6, 7), await tokenOf(3, 4, 5, 6, 7)];
  expect(tokens[0]).toMatch(/^outbox1-3-7-[0-9a-f]{32}$/);
  expect(tokens[2]).toBe("outbox1-3-7");
  expect(new Set(tokens).size).toBe(3);
  expect(await tokenOf(3, 4, 5, 7)).toBe(tokens[0]);
});

test("a retry is the same request", async () => {
  const server = standIn(() => exception(252));
  const send = outputTo(server.url);
  await send();
  await send();
  const [first, second] = server.inserts();
  expect(second?.request.url).toBe(first?.request.url ?? "");
  expect(second?.body).toEqual(first?.body ?? Buffer.alloc(0));
});

test("credentials are sent in a header and nowhere else", async () => {
  const log = recordingLog();
  const server = standIn((seen) => new Response(seen.request.headers.get("authorization"), { status: 500 }));
  const outcome = await outputTo(server.url, { user: "loom", password: "hunter2ü", log })();
  const [insert] = server.inserts();
  const credentials = Buffer.from("loom:hunter2ü").toString("base64");
  expect(insert?.request.headers.get("authorization")).toBe(`Basic ${credentials}`);
  expect(decodeURIComponent(insert?.request.url ?? "")).not.toContain("hunter2");
  expect(JSON.stringify([outcome, log.lines])).not.toMatch(new RegExp(`hunter2|${credentials}`));
});

test.each([
  [undefined, "secret", "default:secret"],
  ["loom", undefined, "loom:"],
  [undefined, undefined, undefined],
])("user %s and password %s are the credentials %s", async (user, password, credentials) => {
  const server = standIn();
  await outputTo(server.url, { user, password })();
  const expected = credentials === undefined ? null : `Basic ${Buffer.from(credentials).toString("base64")}`;
  expect(server.inserts()[0]?.request.headers.get("authorization") ?? null).toBe(expected);
});

test("the path of the URL is kept", async () => {
  const server = standIn();
  await outputTo(`${server.url}clickhouse/`)();
  expect(new URL(server.inserts()[0]?.request.url ?? "").pathname).toBe("/clickhouse/");
});

test("the version is queried once if there is no failure", async () => {
  const server = standIn();
  const send = outputTo(server.url);
  await send();
  await send();
  expect(server.queries()).toEqual(["SELECT", "INSERT", "INSERT"]);
});

test("the version is queried again after a failure", async () => {
  let isUp = false;
  const server = standIn(() => (isUp ? new Response() : exception(60, 404)));
  const send = outputTo(server.url);
  expect((await send()).kind).toBe("hold");
  isUp = true;
  expect((await send()).kind).toBe("delivered");
  expect(server.queries()).toEqual(["SELECT", "INSERT", "SELECT", "INSERT"]);
});

test("a server that does not answer a version gets no events", async () => {
  const server = standIn(undefined, "<html>Sign in</html>");
  expect((await outputTo(server.url)()).kind).toBe("hold");
  expect(server.inserts()).toBeEmpty();
});

test("a version that was cut off is not used", async () => {
  const server = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: { data: (socket) => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n24.1") },
  });
  stopping.push(() => server.stop(true));
  expect(await outputTo(`http://127.0.0.1:${server.port}`)()).toEqual({
    kind: "retry",
    reason: "SELECT version(): HTTP 200 with an answer that is cut off or too long",
  });
});

test("a missing table is created if that is configured, and the batch is sent again", async () => {
  let hasTable = false;
  const server = standIn((seen) => {
    if (seen.query.startsWith("CREATE")) hasTable = true;
    return hasTable ? new Response() : exception(60, 404);
  });
  const log = recordingLog();
  expect((await outputTo(server.url, { createTable: true, log })()).kind).toBe("delivered");
  expect(server.queries()).toEqual(["SELECT", "INSERT", "CREATE", "INSERT"]);
  expect(log.lines.map(({ message }) => message)).toEqual([
    "connected to ClickHouse",
    "created the table in ClickHouse",
  ]);
});

test("a table that cannot be created blocks the delivery", async () => {
  const server = standIn((seen) => exception(seen.query.startsWith("CREATE") ? 497 : 60));
  const outcome = await outputTo(server.url, { createTable: true })();
  expect(outcome).toMatchObject({ kind: "hold", reason: expect.stringContaining("CREATE TABLE") });
});

test("no table is created unless that is configured", async () => {
  const server = standIn(() => exception(60, 404));
  await outputTo(server.url)();
  expect(server.queries()).not.toContain("CREATE");
});

test.each([
  ["252 with status 200", () => exception(252, 200), "retry"],
  [
    "an exception at the end of a 200",
    () => new Response(`${"x".repeat(50_000)}Code: 27. DB::Exception: x`),
    "split",
  ],
  ["a bare 500", () => new Response("oops", { status: 500 }), "retry"],
  ["a page with status 200", () => new Response("<html>"), "retry"],
  ["413", () => new Response("", { status: 413 }), "split"],
] as const)("%s is judged by its content", async (_title, answer, kind) => {
  const server = standIn(answer);
  expect((await outputTo(server.url)()).kind).toBe(kind);
});

test("a redirect is not followed", async () => {
  const other = standIn();
  const server = standIn(() => Response.redirect(other.url, 307));
  expect((await outputTo(server.url, { user: "loom", password: "secret" })()).kind).toBe("hold");
  expect(other.seen).toBeEmpty();
});

test("an endless answer is read only up to its bound", async () => {
  let isCancelled = false;
  const endless = new ReadableStream({
    async pull(controller) {
      controller.enqueue(new Uint8Array(16_384).fill(0x78));
      await Bun.sleep(1);
    },
    cancel() {
      isCancelled = true;
    },
  });
  const server = standIn(() => new Response(endless));
  expect((await outputTo(server.url)()).kind).toBe("retry");
  await until("the answer is cancelled", () => isCancelled);
});

test.each([
  ["missing, because the connection is closed", ""],
  ["cut off in its headers", "HTTP/1.1 200 OK\r\nX-Click"],
  ["shorter than its length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"],
  ["cut off between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["not HTTP", "SSH-2.0-OpenSSH_9.2\r\n"],
])("an answer that is %s is not a delivery", async (_title, bytes) => {
  expect((await outputTo(rawStandIn(bytes).url)()).kind).toBe("retry");
});

test("each request has a connection of its own, even if the server keeps connections open", async () => {
  let connections = 0;
  const server = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      open() {
        connections++;
      },
      data(socket, data) {
        const body = data.includes("SELECT+version") ? "24.8\n" : "";
        socket.write(
          `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
      },
    },
  });
  stopping.push(() => server.stop(true));
  const send = outputTo(`http://127.0.0.1:${server.port}`);
  expect([await send(), await send()]).toEqual([{ kind: "delivered" }, { kind: "delivered" }]);
  expect(connections).toBe(3);
});

test("fetch does not repeat a request by itself when the connection is closed", async () => {
  const server = rawStandIn("");
  await outputTo(server.url)();
  expect(server.inserts()).toBe(1);
});

test.each([
  ["nothing", ""],
  ["headers and no whole body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nCode"],
])("an attempt ends at the time limit if the server sends %s", async (_title, bytes) => {
  const send = outputTo(rawStandIn(bytes, false).url);
  expect(await send(undefined, AbortSignal.timeout(100))).toEqual({
    kind: "retry",
    reason: "no answer in time",
  });
});

test("a stop ends an attempt that waits for its answer", async () => {
  const stop = new AbortController();
  const server = standIn(() => {
    stop.abort();
    return new Promise<Response>(() => {});
  });
  expect((await outputTo(server.url)(undefined, stop.signal)).kind).toBe("retry");
});

test("a server that cannot be reached is retried", async () => {
  expect(await outputTo("http://127.0.0.1:9")()).toEqual({
    kind: "retry",
    reason: "http://127.0.0.1:9: no answer: ECONNREFUSED",
  });
});
