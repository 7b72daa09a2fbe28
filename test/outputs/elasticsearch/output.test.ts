import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import {
  createElasticsearchOutput,
  type ElasticsearchOptions,
} from "../../../server/outputs/elasticsearch/output.ts";
import type { SendOutcome } from "../../../server/outputs/output.ts";
import { createCertificate } from "../../support/certificate.ts";
import { type LoggedLine, recordingLog, silentLog } from "../../support/log.ts";
import { until } from "../../support/until.ts";
import { bulkAnswer, deliveryOf, startStandIn } from "./stand-in.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function standIn(tls?: { cert: string; key: string }) {
  const started = startStandIn(tls);
  cleanups.push(() => started[Symbol.dispose]());
  return started;
}

function outputTo(url: readonly string[], options: Partial<ElasticsearchOptions> = {}) {
  return createElasticsearchOutput({
    url,
    index: "loom-events",
    user: undefined,
    pass: undefined,
    apiKey: undefined,
    certificateAuthorities: undefined,
    installTemplate: false,
    log: silentLog,
    ...options,
  });
}

const two = deliveryOf(['{"a":1}', '{"b":18446744073709551615}']);
const never = new AbortController().signal;

function sendTo(url: readonly string[], options: Partial<ElasticsearchOptions> = {}): Promise<SendOutcome> {
  return outputTo(url, options).send(two, never);
}

/** A TCP server. `reply` is called for each connection when a request has arrived. */
async function rawServer(reply: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => reply(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

/** A URL on which nobody listens, because its port was free a moment ago. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

describe("the request", () => {
  test("an event is a create action with an id from the outbox, and the unchanged document", async () => {
    const node = standIn();
    expect(await sendTo([node.url])).toEqual({ kind: "delivered" });
    expect(node.requests[0]?.body).toBe(
      '{"create":{"_id":"outbox-1-1"}}\n{"a":1}\n' +
        '{"create":{"_id":"outbox-1-2"}}\n{"b":18446744073709551615}\n',
    );
  });

  test("the request is a POST of NDJSON to the _bulk of the index, below the path of the URL", async () => {
    const node = standIn();
    await sendTo([`${node.url}/es/`]);
    expect(node.requests[0]?.method).toBe("POST");
    expect(node.requests[0]?.path).toStartWith("/es/loom-events/_bulk?");
    expect(node.requests[0]?.headers.get("content-type")).toBe("application/x-ndjson");
  });

  test("a large body is compressed", async () => {
    const node = standIn();
    const document = JSON.stringify({ text: "ä".repeat(10_000) });
    expect(await outputTo([node.url]).send(deliveryOf([document]), never)).toEqual({ kind: "delivered" });
    expect(Number(node.requests[0]?.headers.get("content-length"))).toBeLessThan(1000);
    expect(node.requests[0]?.body).toEndWith(`\n${document}\n`);
  });

  test("user and password are sent as basic authentication", async () => {
    const node = standIn();
    await sendTo([node.url], { user: "loom", pass: "pässword" });
    const expected = `Basic ${Buffer.from("loom:pässword").toString("base64")}`;
    expect(node.requests[0]?.headers.get("authorization")).toBe(expected);
  });

  test.each([
    ["aWQ6a2V5", "ApiKey aWQ6a2V5"],
    ["id:key", "ApiKey aWQ6a2V5"],
  ])("an API key %s is used instead of user and password", async (apiKey, expected) => {
    const node = standIn();
    await sendTo([node.url], { user: "loom", pass: "x", apiKey });
    expect(node.requests[0]?.headers.get("authorization")).toBe(expected);
  });
});

describe("an index for each day", () => {
  const [first, second] = two.events;
  if (first === undefined || second === undefined) throw new Error("two events");
  const beforeMidnight = { ...first, receivedAt: Date.UTC(2026, 11, 31, 23, 59, 59, 999) };
  const atMidnight = { ...second, receivedAt: Date.UTC(2027, 0, 1) };
  const late = { ...beforeMidnight, sequence: 3 };
  const delivery = { outboxId: "o", events: [beforeMidnight, atMidnight, late] };
  const index = "loom-events-%Y.%m.%d";

  test("events go to the index of the day of their receipt in UTC, with one request for each index", async () => {
    const node = standIn();
    expect(await outputTo([node.url], { index }).send(delivery, never)).toEqual({ kind: "delivered" });
    expect(node.requests.map(({ path, body }) => [path.split("?")[0], body.match(/o-\d/g)])).toEqual([
      ["/loom-events-2026.12.31/_bulk", ["o-1", "o-3"]],
      ["/loom-events-2027.01.01/_bulk", ["o-2"]],
    ]);
  });

  test("the answer of each index is judged, and what is sent again is in order", async () => {
    const node = standIn();
    node.answer = ({ path }) => bulkAnswer(path.includes("2026") ? [400, 429] : [429]);
    expect(await outputTo([node.url], { index }).send(delivery, never)).toMatchObject({
      kind: "judged",
      rejected: [{ event: beforeMidnight }],
      retry: [atMidnight, late],
      reason: "2 of 3 events: HTTP 429 some_exception: why",
    });
  });

  test("the whole batch is sent again if one index does not answer", async () => {
    const node = standIn();
    node.answer = ({ path }) =>
      path.includes("2026") ? bulkAnswer([201, 400]) : new Response("", { status: 503 });
    expect(await outputTo([node.url], { index }).send(delivery, never)).toEqual({
      kind: "retry",
      reason: "HTTP 503",
    });
  });
});

describe("a document with a key twice", () => {
  const duplicate = '{"source":{"ip":"192.0.2.1"},"a":1e400,"source":{"ip":"192.0.2.2"}}';
  const delivery = deliveryOf(['{"n":1}', duplicate, '{"source":"x"}']);
  const error = { type: "mapper_parsing_exception", reason: "failed to parse" };

  test("is sent again with the last one only when it was rejected, under the same id", async () => {
    const node = standIn();
    const answers = [bulkAnswer([201, 400, 400], error), bulkAnswer([201])];
    node.answer = () => answers.shift() ?? new Response("", { status: 500 });
    expect(await outputTo([node.url]).send(delivery, never)).toMatchObject({
      kind: "judged",
      rejected: [{ event: delivery.events[2] }],
      retry: [],
    });
    expect(node.requests[1]?.body).toBe(
      '{"create":{"_id":"outbox-1-2"}}\n{"a":1e400,"source":{"ip":"192.0.2.2"}}\n',
    );
    expect(node.requests).toHaveLength(2);
  });

  test("is rejected with its own bytes and in order if it does not fit the mapping either", async () => {
    const node = standIn();
    const answers = [bulkAnswer([201, 400, 400], error), bulkAnswer([400], { ...error, reason: "other" })];
    node.answer = () => answers.shift() ?? new Response("", { status: 500 });
    expect(await outputTo([node.url]).send(delivery, never)).toMatchObject({
      rejected: [
        { event: delivery.events[1], reason: "HTTP 400 mapper_parsing_exception: other" },
        { event: delivery.events[2], reason: "HTTP 400 mapper_parsing_exception: failed to parse" },
      ],
    });
  });

  test("is sent again later if the second request fails", async () => {
    const node = standIn();
    const answers = [bulkAnswer([201, 400, 201], error)];
    node.answer = () => answers.shift() ?? new Response("", { status: 503 });
    expect(await outputTo([node.url]).send(delivery, never)).toEqual({ kind: "retry", reason: "HTTP 503" });
  });
});

describe("the answer", () => {
  test("429 items are retried, and the others are not", async () => {
    const node = standIn();
    node.answer = () => bulkAnswer([201, 429]);
    expect(await sendTo([node.url])).toMatchObject({ kind: "judged", rejected: [], retry: [two.events[1]] });
  });

  test.each([
    ["7", 7_000],
    ["Sun, 22 Nov 2026 16:30:00 GMT", 60_000],
  ])("Retry-After %s is passed on", async (header, retryAfterMs) => {
    const node = standIn();
    node.answer = () => new Response("", { status: 503, headers: { "retry-after": header } });
    const outcome = await sendTo([node.url], { now: () => Date.UTC(2026, 10, 22, 16, 29) });
    expect(outcome).toMatchObject({ kind: "retry", retryAfterMs });
  });

  test("credentials are not sent to the target of a redirect", async () => {
    const node = standIn();
    const elsewhere = standIn();
    node.answer = () => Response.redirect(`${elsewhere.url}/_bulk`, 307);
    expect(await sendTo([node.url], { user: "loom", pass: "secret" })).toMatchObject({ kind: "hold" });
    expect(elsewhere.requests).toBeEmpty();
  });

  test("an answer that is cut off is retried", async () => {
    const url = await rawServer((socket) => {
      socket.end(
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{"errors":false,',
      );
    });
    expect(await sendTo([url])).toMatchObject({ kind: "retry" });
  });

  test("an answer that is cut off after complete JSON is retried", async () => {
    const url = await rawServer((socket) => {
      const items = [{ create: { status: 201 } }, { create: { status: 201 } }];
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n${JSON.stringify({ items })}`);
    });
    expect(await sendTo([url])).toMatchObject({ kind: "retry" });
  });

  test("an answer that is not complete JSON is retried", async () => {
    const node = standIn();
    node.answer = () => new Response('{"errors":false,"items":[{"create":{"status":201}}');
    expect(await sendTo([node.url])).toMatchObject({ kind: "retry" });
  });

  test("an endless answer is read only up to its bound", async () => {
    let sentBytes = 0;
    const node = standIn();
    node.answer = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sentBytes += 65_536;
            controller.enqueue(new Uint8Array(65_536).fill(32));
          },
        }),
      );
    expect(await sendTo([node.url])).toMatchObject({ kind: "retry" });
    expect(sentBytes).toBeLessThan(16 * 1024 * 1024);
  });

  test("a compressed answer is not decompressed", async () => {
    const node = standIn();
    const packed = Bun.gzipSync(Buffer.from(await bulkAnswer([201, 201]).text()));
    node.answer = () => new Response(packed, { headers: { "content-encoding": "gzip" } });
    expect(await sendTo([node.url])).toMatchObject({ kind: "retry" });
  });

  test("the signal ends a request without an answer", async () => {
    const url = await rawServer(() => {});
    const outcome = await outputTo([url]).send(two, AbortSignal.timeout(50));
    expect(outcome).toEqual({ kind: "retry", reason: `${url}: no answer in time` });
  });

  test("the signal ends an answer that stops in the middle", async () => {
    const url = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{"errors"');
    });
    expect(await outputTo([url]).send(two, AbortSignal.timeout(50))).toMatchObject({ kind: "retry" });
  });

  test("closing the output ends requests in flight", async () => {
    let hasArrived = false;
    const url = await rawServer(() => {
      hasArrived = true;
    });
    const output = outputTo([url]);
    const outcome = output.send(two, never);
    await until("the request has arrived", () => hasArrived);
    output.close();
    expect(await outcome).toMatchObject({ kind: "retry" });
  });

  test("no reason contains a password", async () => {
    const url = await deadUrl();
    const outcome = await sendTo([url], { user: "loom", pass: "hunter2secret", apiKey: "id:key3secret" });
    expect(outcome).toMatchObject({ kind: "retry" });
    expect(JSON.stringify(outcome)).not.toMatch(/hunter2secret|key3secret/);
  });
});

test("an answer that quotes the request brings no credentials into a reason", async () => {
  const node = standIn();
  node.answer = ({ headers }) =>
    Response.json({ error: { type: "proxy", reason: headers.get("authorization") } }, { status: 500 });
  const outcome = await sendTo([node.url], { user: "loom", pass: "hunter2secret" });
  expect(outcome).toEqual({ kind: "retry", reason: "HTTP 500 proxy: Basic ***" });
});

describe("several addresses", () => {
  test("the next one is used if one is unreachable", async () => {
    const node = standIn();
    expect(await sendTo([await deadUrl(), node.url])).toEqual({ kind: "delivered" });
  });

  test.each([429, 500, 503])("the next one is used if one answers %d", async (status) => {
    const [bad, good] = [standIn(), standIn()];
    bad.answer = () => new Response("", { status });
    expect(await sendTo([bad.url, good.url])).toEqual({ kind: "delivered" });
  });

  test("the one that works stays in use, and the change is logged once", async () => {
    const [bad, good] = [standIn(), standIn()];
    const log = recordingLog();
    bad.answer = () => new Response("", { status: 503 });
    const output = outputTo([bad.url, good.url], { log });
    const change: LoggedLine = {
      level: "info",
      message: "switched to another address",
      fields: { url: good.url },
    };
    await output.send(two, never);
    expect(log.lines).toEqual([change]);
    await output.send(two, never);
    expect(log.lines).toEqual([change]);
    expect(bad.requests).toHaveLength(1);
  });

  test("one that does not answer is not the first one in the next attempt", async () => {
    const node = standIn();
    const output = outputTo([await rawServer(() => {}), node.url]);
    expect(await output.send(two, AbortSignal.timeout(50))).toMatchObject({ kind: "retry" });
    expect(await output.send(two, never)).toEqual({ kind: "delivered" });
  });

  test("wrong credentials are not sent to every address", async () => {
    const [first, second] = [standIn(), standIn()];
    first.answer = () => new Response("", { status: 401 });
    expect(await sendTo([first.url, second.url])).toMatchObject({ kind: "hold" });
    expect(second.requests).toBeEmpty();
  });

  test("each one is tried once if none works", async () => {
    const [first, second] = [standIn(), standIn()];
    first.answer = second.answer = () => new Response("", { status: 503 });
    expect(await sendTo([first.url, second.url])).toMatchObject({ kind: "retry" });
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });
});

describe("certificates", () => {
  const { key, cert } = createCertificate("localhost");
  // If the base64 fills its last line, an empty line follows, which BoringSSL does not accept.
  const certificate = { key, cert: cert.replace("\n\n", "\n") };

  test("the given certificate authorities are trusted", async () => {
    const node = standIn(certificate);
    expect(await sendTo([node.url], { certificateAuthorities: certificate.cert })).toEqual({
      kind: "delivered",
    });
  });

  test("a certificate that is not trusted blocks, and nothing is sent", async () => {
    const node = standIn(certificate);
    const outcome = await sendTo([node.url], { user: "loom", pass: "secret" });
    expect(outcome).toEqual({ kind: "hold", reason: `${node.url}: no answer: DEPTH_ZERO_SELF_SIGNED_CERT` });
    expect(node.requests).toBeEmpty();
  });
});
