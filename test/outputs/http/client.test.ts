import { afterEach, describe, expect, test } from "bun:test";
import {
  createHttpClient,
  type HttpClientOptions,
  type HttpRequest,
} from "../../../server/outputs/http/client.ts";

const stopping: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop();
});

function serverThat(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  stopping.push(() => server.stop(true));
  return server.url.href;
}

const noCredentials = { user: undefined, password: undefined };

function send(
  url: string,
  options: Partial<HttpClientOptions> = {},
  request: Partial<HttpRequest> = {},
  signal = new AbortController().signal,
) {
  const client = createHttpClient({ credentials: noCredentials, ...options });
  return client({ method: "POST", url, maxAnswerBytes: 100, ...request }, signal);
}

/** The headers of one request. */
async function headersOf(options: Partial<HttpClientOptions>, request: Partial<HttpRequest> = {}) {
  let headers = new Headers();
  const url = serverThat((received) => {
    headers = received.headers;
    return new Response();
  });
  await send(url, options, request);
  return headers;
}

describe("a request", () => {
  test("has no authorization without credentials", async () => {
    expect((await headersOf({})).has("authorization")).toBe(false);
  });

  test("has basic authentication with a user", async () => {
    const headers = await headersOf({ credentials: { user: "loom", password: "ü" } });
    expect(headers.get("authorization")).toBe(`Basic ${Buffer.from("loom:ü").toString("base64")}`);
  });

  test("has the API key instead if there is one", async () => {
    const headers = await headersOf({ credentials: { user: "loom", password: "x", apiKey: "a:b" } });
    expect(headers.get("authorization")).toBe(`ApiKey ${Buffer.from("a:b").toString("base64")}`);
  });

  test("asks for an answer that is not compressed", async () => {
    expect((await headersOf({})).get("accept-encoding")).toBe("identity");
  });

  test("has the headers and the encoding that it was given", async () => {
    const headers = await headersOf({}, { headers: { accept: "x/y" }, contentEncoding: "gzip", body: "x" });
    expect([headers.get("accept"), headers.get("content-encoding")]).toEqual(["x/y", "gzip"]);
  });
});

test.each([
  [undefined, 1],
  [true, 1],
  [false, 2],
])("with keepsConnections %p two requests have %d connections", async (keepsConnections, expected) => {
  let connections = 0;
  const server = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      open() {
        connections++;
      },
      data: (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    },
  });
  stopping.push(() => server.stop(true));
  const options = keepsConnections === undefined ? {} : { keepsConnections };
  const client = createHttpClient({ credentials: noCredentials, ...options });
  for (let i = 0; i < 2; i++) {
    const url = `http://127.0.0.1:${server.port}`;
    await client({ method: "POST", url, maxAnswerBytes: 1 }, new AbortController().signal);
  }
  expect(connections).toBe(expected);
});

describe("an answer", () => {
  test("has status, headers, body and the wait of Retry-After", async () => {
    const url = serverThat(
      () => new Response("text", { status: 503, headers: { "retry-after": "7", a: "b" } }),
    );
    const answer = await send(url);
    if (answer.kind !== "answered") throw new Error(answer.reason);
    const { status, retryAfterMs, isWhole } = answer;
    expect({ status, retryAfterMs, isWhole }).toEqual({ status: 503, retryAfterMs: 7000, isWhole: true });
    expect([answer.body.toString(), answer.headers.get("a")]).toEqual(["text", "b"]);
  });

  test("may be as long as its bound", async () => {
    const answer = await send(serverThat(() => new Response("x".repeat(100))));
    expect(answer).toMatchObject({ isWhole: true, body: Buffer.from("x".repeat(100)) });
  });

  test("is cut at its bound", async () => {
    const answer = await send(serverThat(() => new Response("x".repeat(101))));
    expect(answer).toMatchObject({ isWhole: false, body: Buffer.from("x".repeat(100)) });
  });

  test("that is compressed nevertheless is not decompressed", async () => {
    const packed = Bun.gzipSync("x");
    const answer = await send(
      serverThat(() => new Response(packed, { headers: { "content-encoding": "gzip" } })),
    );
    expect(answer).toMatchObject({ body: Buffer.from(packed) });
  });

  test("that is a redirect is not followed", async () => {
    let isFollowed = false;
    const other = serverThat(() => {
      isFollowed = true;
      return new Response();
    });
    const answer = await send(serverThat(() => Response.redirect(other, 307)));
    expect(answer).toMatchObject({ kind: "answered", status: 307 });
    expect(isFollowed).toBe(false);
  });

  test("that was cut off has a status, and is not whole", async () => {
    const server = Bun.listen({
      port: 0,
      hostname: "127.0.0.1",
      socket: {
        data(socket) {
          socket.end("HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\nabc");
        },
      },
    });
    stopping.push(() => server.stop(true));
    expect(await send(`http://127.0.0.1:${server.port}`)).toMatchObject({ status: 413, isWhole: false });
  });
});

describe("no answer", () => {
  test("from a port on which nobody listens is a failure that passes", async () => {
    expect(await send("http://127.0.0.1:9")).toEqual({
      kind: "failed",
      reason: "no answer: ECONNREFUSED",
      isLasting: false,
    });
  });

  test("within the deadline is a failure, also in the middle of a body", async () => {
    const endless = () =>
      new Response(new ReadableStream({ start: (body) => body.enqueue(Buffer.from("x")) }));
    const answers = [serverThat(() => new Promise<Response>(() => {})), serverThat(endless)].map((url) =>
      send(url, {}, {}, AbortSignal.timeout(50)),
    );
    for (const answer of await Promise.all(answers))
      expect(answer).toEqual({ kind: "failed", reason: "no answer in time", isLasting: false });
  });
});
