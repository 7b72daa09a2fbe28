import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { createAuthenticator } from "../../server/ingest/authentication.ts";
import { type BodiesInFlight, createBodiesInFlight } from "../../server/ingest/bodies-in-flight.ts";
import { takeLineBuffer } from "../../server/line-buffers.ts";
import { CannotKeep } from "../../server/pipeline.ts";
import { batchRequest, ingestWith, type RequestParts } from "../support/ingest.ts";

async function answerTo(parts: RequestParts, options: Parameters<typeof ingestWith>[0] = {}) {
  const { send, kept, ledger } = ingestWith(options);
  const response = await send(batchRequest(parts));
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, kept, ledger };
}

async function expectRefusal(
  answer: ReturnType<typeof answerTo>,
  status: number,
  code: string,
): Promise<void> {
  const { text, kept, headers, ...rest } = await answer;
  expect({ status: rest.status, text }).toEqual({ status, text: JSON.stringify({ error: code }) });
  expect(headers.get("content-type")).toBe("application/json");
  expect(kept).toEqual([]);
}

describe("paths", () => {
  for (const path of ["/api/v1/ingest", "/ingest", "/"])
    test(`POST ${path} accepts a batch`, async () => {
      const { status, text, kept } = await answerTo({ path });
      expect({ status, text }).toEqual({ status: 204, text: "" });
      expect(kept).toHaveLength(1);
    });

  for (const path of [
    "/api/v1/ingest/",
    "/ingest/x",
    "/api/v1",
    "/health",
    "/metrics",
    "/..%2fingest",
    "//ingest",
  ])
    test(`${path} is not found`, () => expectRefusal(answerTo({ path }), 404, "not_found"));

  for (const method of ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
    for (const path of ["/api/v1/ingest", "/ingest", "/"])
      test(`${method} ${path} is a method not allowed`, async () => {
        await expectRefusal(answerTo({ method, path }), 405, "method_not_allowed");
        expect((await answerTo({ method, path })).headers.get("allow")).toBe("POST");
      });

  test("HEAD is a method not allowed", async () => {
    expect((await answerTo({ method: "HEAD" })).status).toBe(405);
  });
});

describe("content type", () => {
  for (const type of [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
  ])
    test(`${type} is accepted`, async () => {
      expect((await answerTo({ headers: { "content-type": type } })).status).toBe(204);
    });

  for (const type of [
    null,
    "",
    "text/plain",
    "application/jsonx",
    "application/x-ndjsonx",
    "application/json-seq",
    "text/json",
    "x/application/json",
  ])
    test(`${type} is refused`, () =>
      expectRefusal(answerTo({ headers: { "content-type": type } }), 415, "invalid_content_type"));

  for (const type of [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "Application/X-NDJSON; charset=utf-8",
    "application/x-ndjson ;charset=utf-8",
  ])
    test(`${type} has one object a line`, async () => {
      const { status, kept } = await answerTo({
        body: '{"a":1}\r\n\n{"b":2}',
        headers: { "content-type": type },
      });
      expect(status).toBe(204);
      expect(kept.map(({ lines }) => String(lines))).toEqual(['{"a":1}\n{"b":2}\n']);
    });

  test("an array is refused as lines, and lines are refused as an array", async () => {
    const lines = { "content-type": "application/x-ndjson" };
    await expectRefusal(answerTo({ body: "[{}]", headers: lines }), 400, "invalid_request");
    await expectRefusal(answerTo({ body: "{}\n{}" }), 400, "invalid_request");
  });

  test("one object is one event", async () => {
    const { status, kept } = await answerTo({ body: ' {"a":1}\n' });
    expect(status).toBe(204);
    expect(kept.map(({ lines, eventCount }) => [String(lines), eventCount])).toEqual([['{"a":1}\n', 1]]);
  });

  test("no line at all is a success and keeps nothing", async () => {
    const headers = { "content-type": "application/x-ndjson" };
    expect((await answerTo({ body: "", headers })).status).toBe(204);
    expect((await answerTo({ body: "\n\r\n", headers })).status).toBe(204);
  });
});

describe("content encoding", () => {
  const withCoding = (coding: string) => ({ headers: { "content-encoding": coding } });

  test("identity is none", async () => {
    expect((await answerTo(withCoding("Identity"))).status).toBe(204);
  });

  for (const coding of ["br", "compress", "gzip, gzip", "gzip, identity", "gzip;q=1", "", "constructor"])
    test(`"${coding}" is refused`, () =>
      expectRefusal(answerTo(withCoding(coding)), 415, "invalid_content_type"));

  for (const coding of ["gzip", "GZIP", "x-gzip", "deflate", "zstd"])
    test(`a body that is not ${coding} although it says so is an invalid request`, () =>
      expectRefusal(answerTo(withCoding(coding)), 400, "invalid_request"));

  test("an answer names the codings only if the coding was the reason", async () => {
    const { headers } = await answerTo(withCoding("br"));
    expect(headers.get("accept-encoding")).toBe("gzip, deflate, zstd");
    const other = await answerTo({ headers: { "content-type": "text/plain", "content-encoding": "br" } });
    expect(other.headers.get("accept-encoding")).toBeNull();
  });

  test("the reason of a refusal is told to the operator", async () => {
    const { send, refusals } = ingestWith();
    await send(batchRequest(withCoding("br")));
    await send(batchRequest({ headers: { "content-type": "text/plain" } }));
    expect(refusals.map(({ detail }) => detail)).toEqual([
      "the Content-Encoding is not exactly one of gzip, deflate and zstd",
      "the Content-Type is neither application/json nor application/x-ndjson",
    ]);
  });
});

describe("authorization", () => {
  for (const scheme of ["Bearer", "bearer", "BEARER"])
    test(`${scheme} is accepted`, async () => {
      expect((await answerTo({ headers: { authorization: `${scheme} frankfurt-token` } })).status).toBe(204);
    });

  for (const authorization of [
    null,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong-token",
    "Bearer frankfurt-toke",
    "Bearer frankfurt-token1",
    "Bearer Frankfurt-Token",
    "Bearer frankfurt-token tokyo-token",
    "Basic frankfurt-token",
    "frankfurt-token",
    "Bearerfrankfurt-token",
  ])
    test(`"${authorization}" is unauthorized`, async () => {
      await expectRefusal(answerTo({ headers: { authorization } }), 401, "unauthorized");
      expect((await answerTo({ headers: { authorization } })).headers.get("www-authenticate")).toBe("Bearer");
    });

  test("the token's own sensor is counted when X-Spip-ID is absent", async () => {
    expect((await answerTo({ headers: { authorization: "Bearer tokyo-token" } })).kept[0]?.sensorId).toBe(
      "vps-tokyo-01",
    );
  });

  for (const claimed of ["vps-tokyo-01", "vps_tokyo_01"])
    test(`X-Spip-ID may be spelled ${claimed} for a token whose variable had underscores`, async () => {
      const { status, kept } = await answerTo({
        headers: { authorization: "Bearer tokyo-token", "x-spip-id": claimed },
      });
      expect(status).toBe(204);
      expect(kept[0]?.sensorId).toBe("vps-tokyo-01");
    });

  for (const claimed of ["vps-tokyo-01", "vps_frankfurt_01", "VPS-FRANKFURT-01", "x"])
    test(`X-Spip-ID ${claimed} with another sensor's token is unauthorized`, () =>
      expectRefusal(answerTo({ headers: { "x-spip-id": claimed } }), 401, "unauthorized"));

  test("an empty X-Spip-ID counts as absent", async () => {
    const { status, kept } = await answerTo({ headers: { "x-spip-id": "" } });
    expect(status).toBe(204);
    expect(kept[0]?.sensorId).toBe("vps-frankfurt-01");
  });

  test("an unauthorized request is counted for no configured sensor", async () => {
    const { ledger } = await answerTo({ headers: { "x-spip-id": "vps-tokyo-01" } });
    expect([...ledger.sensors.keys()]).toEqual(["unknown"]);
    expect(ledger.sensor("unknown").requestsByStatus).toEqual(new Map([[401, 1]]));
  });
});

describe("sizes", () => {
  const limits = { maxBodySizeBytes: 100, maxEventsPerBatch: 3, maxEventSizeBytes: 40 };
  const ofLength = (length: number) => `[${" ".repeat(length - 2)}]`;
  const chunked = (text: string) =>
    new ReadableStream({
      start(controller) {
        for (const piece of text.match(/[\s\S]{1,7}/g) ?? []) controller.enqueue(Buffer.from(piece));
        controller.close();
      },
    });

  test("a body of the largest size is accepted", async () => {
    expect((await answerTo({ body: ofLength(100) }, { limits })).status).toBe(204);
    expect((await answerTo({ body: chunked(ofLength(100)) }, { limits })).status).toBe(204);
  });

  test("a declared length over the limit is refused", () =>
    expectRefusal(answerTo({ body: ofLength(101) }, { limits }), 413, "payload_too_large"));

  test("a chunked body over the limit is refused", () =>
    expectRefusal(answerTo({ body: chunked(ofLength(101)) }, { limits }), 413, "payload_too_large"));

  test("a chunked body is not read beyond the limit", async () => {
    let pulled = 0;
    let isCancelled = false;
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 10;
        controller.enqueue(Buffer.alloc(10, " "));
      },
      cancel() {
        isCancelled = true;
      },
    });
    await expectRefusal(answerTo({ body: endless }, { limits }), 413, "payload_too_large");
    expect(pulled).toBeLessThan(200);
    expect(isCancelled).toBe(true);
  });

  test("too many events are refused", () =>
    expectRefusal(answerTo({ body: "[{},{},{},{}]" }, { limits }), 413, "batch_too_large"));

  test("an event that is too large is refused with the whole batch", () =>
    expectRefusal(answerTo({ body: `[{},{"a":"${"x".repeat(40)}"}]` }, { limits }), 413, "event_too_large"));

  test("an empty batch is a success and keeps nothing", async () => {
    const { status, kept, ledger } = await answerTo({ body: "[]" });
    expect(status).toBe(204);
    expect(kept.map((batch) => batch.eventCount)).toEqual([0]);
    expect(ledger.sensor("vps-frankfurt-01").keptEvents).toBe(0);
  });
});

describe("JSON", () => {
  for (const body of ["", "[1]", '[{"a":1},2]', '[{"a":}]', "[{}]x", "null"])
    test(`${JSON.stringify(body)} is an invalid request`, () =>
      expectRefusal(answerTo({ body }), 400, "invalid_request"));

  test("a batch with one bad element is not kept at all", () =>
    expectRefusal(answerTo({ body: '[{"a":1},{"b":2},"c"]' }), 400, "invalid_request"));
});

describe("rates", () => {
  test("requests over the sensor's rate are answered with the time to try again", async () => {
    const { send, kept } = ingestWith({ limits: { perSensorRps: 2 } });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await send(batchRequest()));
    expect(answers.map((answer) => answer.status)).toEqual([204, 204, 429]);
    expect(await answers[2]?.json()).toEqual({ error: "rate_limit_exceeded" });
    expect(answers[2]?.headers.get("retry-after")).toBe("1");
    expect(kept).toHaveLength(2);
  });

  test("sensors have separate rates", async () => {
    const { send } = ingestWith({ limits: { perSensorRps: 1 } });
    await send(batchRequest());
    const answer = await send(batchRequest({ headers: { authorization: "Bearer tokyo-token" } }));
    expect(answer.status).toBe(204);
  });

  test("events over the sensor's rate delay its next batch, never a part of one", async () => {
    const { send, kept } = ingestWith({ limits: { perSensorEventsRps: 10 } });
    const batch = `[${Array(40).fill("{}").join(",")}]`;
    expect((await send(batchRequest({ body: batch }))).status).toBe(204);
    const refused = await send(batchRequest({ body: "[{}]" }));
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("3");
    expect(kept.map(({ eventCount }) => eventCount)).toEqual([40]);
  });
});

describe("a batch that cannot be kept", () => {
  test("is answered 503 with Retry-After, and counted", async () => {
    const { status, text, headers, ledger } = await answerTo(
      { body: "[{},{}]" },
      { keep: () => Promise.reject(new CannotKeep("stdout stalled")) },
    );
    expect({ status, text }).toEqual({ status: 503, text: '{"error":"unavailable"}' });
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    const sensor = ledger.sensor("vps-frankfurt-01");
    expect(sensor.refusedBatches).toEqual(new Map([["unavailable", 1]]));
    expect(sensor.refusedEvents).toEqual(new Map([["unavailable", 2]]));
    expect(sensor.keptEvents).toBe(0);
  });

  test("too many bodies at once from one sensor are refused, and those of another sensor are accepted", async () => {
    const hold = Promise.withResolvers<void>();
    const { send } = ingestWith({ keep: () => hold.promise, bodiesInFlight: createBodiesInFlight(1000, 10) });
    const first = send(batchRequest());
    expect((await send(batchRequest())).status).toBe(503);
    const other = send(batchRequest({ headers: { authorization: "Bearer tokyo-token" } }));
    hold.resolve();
    expect([(await first).status, (await other).status]).toEqual([204, 204]);
    expect((await send(batchRequest())).status).toBe(204);
  });

  describe("memory is reserved", () => {
    const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
    const reservedFor = async (parts: RequestParts) => {
      const reserved: number[] = [];
      const released: number[] = [];
      const bodiesInFlight: BodiesInFlight = {
        reserve: (_sensorId, bytes) => reserved.push(bytes) > 0,
        release: (_sensorId, bytes) => void released.push(bytes),
      };
      await answerTo(parts, { bodiesInFlight, limits: { maxBodySizeBytes: 100 } });
      expect(sum(released)).toBe(sum(reserved));
      return { reserved, released };
    };

    for (const [what, parts, bytes] of [
      ["of the declared length", { body: "[{}]" }, 4],
      ["of the limit for a longer declared length", { body: "x".repeat(101) }, 100],
      ["of the limit for a chunked body", { body: new Response("[{}]").body }, 100],
    ] as const)
      test(what, async () => {
        expect(await reservedFor(parts)).toEqual({ reserved: [bytes], released: [bytes] });
      });

    test("of twice the limit more for a compressed body, until its length is known", async () => {
      const body = gzipSync('[{"a":1}]');
      const headers = { "content-encoding": "gzip" };
      expect(await reservedFor({ body, headers })).toEqual({
        reserved: [body.length + 200],
        released: [body.length + 200 - 9, 9],
      });
      expect(await reservedFor({ body: body.subarray(0, 20), headers })).toEqual({
        reserved: [220],
        released: [220],
      });
    });
  });

  test("the bodies of one sensor take 64 MiB at most, and those of all sensors 128 MiB", async () => {
    const hold = Promise.withResolvers<void>();
    const sensors = ["a", "b", "c"].map((sensorId) => ({ sensorId, alias: undefined, token: sensorId }));
    const { send } = ingestWith({ authenticator: createAuthenticator(sensors), keep: () => hold.promise });
    const largest = (sensor: string) =>
      send(batchRequest({ headers: { authorization: `Bearer ${sensor}`, "content-length": "2097152" } }));
    const accepted = ["a", "b"].flatMap((sensor) => Array.from({ length: 32 }, () => largest(sensor)));
    expect((await largest("a")).status).toBe(503);
    expect((await largest("c")).status).toBe(503);
    hold.resolve();
    expect(new Set((await Promise.all(accepted)).map(({ status }) => status))).toEqual(new Set([204]));
    expect((await largest("c")).status).toBe(204);
  });

  test("a defect is answered 500 without any detail", async () => {
    const answer = answerTo({}, { keep: () => Promise.reject(new TypeError("secret detail")) });
    await expectRefusal(answer, 500, "internal_error");
  });
});

describe("order", () => {
  const bad = {
    method: { method: "PUT" },
    type: { "content-type": "text/plain" },
    authorization: { authorization: "Bearer wrong" },
  };

  test("the method comes before the content type", async () => {
    expect((await answerTo({ ...bad.method, headers: { ...bad.type, ...bad.authorization } })).status).toBe(
      405,
    );
  });

  test("authorization comes before the content type", async () => {
    expect((await answerTo({ headers: { ...bad.type, ...bad.authorization } })).status).toBe(401);
  });

  test("a content type that is refused is counted for its sensor", async () => {
    const { ledger } = await answerTo({ headers: bad.type });
    expect(ledger.sensor("vps-frankfurt-01").requestsByStatus).toEqual(new Map([[415, 1]]));
  });

  test("the content type comes before the rate", async () => {
    const { send } = ingestWith({ limits: { perSensorRps: 1 } });
    for (let i = 0; i < 3; i++) expect((await send(batchRequest({ headers: bad.type }))).status).toBe(415);
    expect((await send(batchRequest())).status).toBe(204);
  });

  test("authorization comes before the size", async () => {
    const { status } = await answerTo(
      { body: "x".repeat(50), headers: bad.authorization },
      { limits: { maxBodySizeBytes: 10 } },
    );
    expect(status).toBe(401);
  });

  test("the rate comes before the size", async () => {
    const { send } = ingestWith({ limits: { perSensorRps: 1, maxBodySizeBytes: 10 } });
    expect((await send(batchRequest())).status).toBe(204);
    expect((await send(batchRequest({ body: "x".repeat(50) }))).status).toBe(429);
  });

  test("the size comes before JSON", async () => {
    expect((await answerTo({ body: "x".repeat(50) }, { limits: { maxBodySizeBytes: 10 } })).status).toBe(413);
  });

  for (const [what, parts, status] of [
    ["an unknown sensor", { headers: bad.authorization }, 401],
    ["another content type", { headers: bad.type }, 415],
    ["another method", bad.method, 405],
  ] as const)
    test(`nothing of the body is read for ${what}`, async () => {
      let isRead = false;
      const body = new ReadableStream(
        {
          pull(controller) {
            isRead = true;
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      expect((await answerTo({ ...parts, body })).status).toBe(status);
      expect(isRead).toBe(false);
    });
});

describe("answers", () => {
  test("never repeat a token or what was sent", async () => {
    for (const parts of [
      { headers: { authorization: "Bearer s3cret-t0ken" } },
      { body: '["<script>alert(1)</script>"]' },
      { path: "/<script>" },
    ]) {
      const { text, headers } = await answerTo(parts);
      expect(text + JSON.stringify([...headers])).not.toMatch(/s3cret|script/);
    }
  });

  test("received batches are kept or refused, nothing else", async () => {
    const { send, ledger } = ingestWith({ limits: { perSensorRps: 5 } });
    for (const body of ["[{}]", "[{},{}]", "[1]", "nonsense", "[]", "[{}]"])
      await send(batchRequest({ body }));
    const sensor = ledger.sensor("vps-frankfurt-01");
    expect(sensor.requestsByStatus).toEqual(
      new Map([
        [204, 3],
        [400, 2],
        [429, 1],
      ]),
    );
    expect(sensor.refusedBatches).toEqual(
      new Map([
        ["invalid_request", 2],
        ["rate_limit_exceeded", 1],
      ]),
    );
    expect(sensor.keptEvents).toBe(3);
  });
});

describe("the connection", () => {
  function recordedConnection() {
    const limits: (number | undefined)[] = [];
    const connection = {
      clientAddress: "192.0.2.7",
      limitTime: (seconds: number | undefined) => void limits.push(seconds),
    };
    return { connection, limits };
  }

  test("has its time limited while the body is read, and no longer", async () => {
    const { connection, limits } = recordedConnection();
    let limitsAtKeep: unknown;
    const { send } = ingestWith({
      keep: async () => {
        limitsAtKeep = [...limits];
      },
    });
    expect((await send(batchRequest(), connection)).status).toBe(204);
    // toStrictEqual, because toEqual ignores an undefined at the end of an array.
    expect(limits).toStrictEqual([30, undefined]);
    expect(limitsAtKeep).toStrictEqual([30, undefined]);
  });

  test("has no limit for a request whose body is not read", async () => {
    const { connection, limits } = recordedConnection();
    await ingestWith().send(batchRequest({ headers: { authorization: null } }), connection);
    expect(limits).toEqual([]);
  });

  for (const [what, parts] of [
    ["on an ingest path", { headers: { authorization: null } }],
    ["on another path", { path: "/.env" }],
  ] as const)
    test(`tells the client address of a refusal ${what}`, async () => {
      const { send, refusals } = ingestWith();
      await send(batchRequest({ ...parts }), recordedConnection().connection);
      expect(refusals.map(({ client }) => client)).toEqual(["192.0.2.7"]);
    });
});

describe("a refusal is reported", () => {
  test("once, with its reason, its sensor and the id that it claims", async () => {
    const { send, refusals } = ingestWith();
    await send(batchRequest({ body: "nonsense", headers: { "x-spip-id": "vps-frankfurt-01" } }));
    await send(batchRequest({ headers: { authorization: "Bearer wrong" } }));
    expect(refusals).toMatchObject([
      {
        reason: "invalid_request",
        sensorId: "vps-frankfurt-01",
        claimedId: "vps-frankfurt-01",
        client: undefined,
        detail: undefined,
      },
      {
        reason: "unauthorized",
        sensorId: "unknown",
        claimedId: null,
        client: undefined,
        detail: "the token is not configured",
      },
    ]);
  });

  test("with the reason why a batch cannot be kept", async () => {
    const { send, refusals } = ingestWith({ keep: () => Promise.reject(new CannotKeep("outbox full")) });
    await send(batchRequest());
    expect(refusals[0]).toMatchObject({ reason: "unavailable", detail: "outbox full" });
  });

  test("with the stack of a defect", async () => {
    const { send, refusals } = ingestWith({ keep: () => Promise.reject(new TypeError("of undefined")) });
    await send(batchRequest());
    expect(refusals[0]?.detail).toMatch(/^BUG: TypeError: of undefined\n/);
  });
});

describe("the memory of an enriched batch", () => {
  // Larger than the buffers of all other tests, so that none of those is reused.
  const length = 3_000_000;
  const isReused = (lines: Buffer) => takeLineBuffer(length).buffer === lines.buffer;

  function ingestWithLines(options: Parameters<typeof ingestWith>[0] = {}) {
    const lines = takeLineBuffer(length);
    return { lines, ...ingestWith({ enrich: () => ({ eventCount: 1, lines, matches: [] }), ...options }) };
  }

  test("is used again once the batch is kept", async () => {
    const { lines, send } = ingestWithLines();
    await send(batchRequest());
    expect(isReused(lines)).toBe(true);
  });

  test("is not used again before the batch is kept and observed", async () => {
    const seen: boolean[] = [];
    const { lines, send } = ingestWithLines({
      keep: async (batch) => void seen.push(isReused(batch.lines)),
      observe: (batch) => void seen.push(isReused(batch.lines)),
    });
    await send(batchRequest());
    expect(seen).toEqual([false, false]);
    expect(isReused(lines)).toBe(true);
  });

  test("is not used again if the batch could not be kept: an output may still read it", async () => {
    const { lines, send } = ingestWithLines({ keep: () => Promise.reject(new CannotKeep("stalled")) });
    await send(batchRequest());
    expect(isReused(lines)).toBe(false);
  });
});

test("the duration of every request on an ingest path is observed, in seconds", async () => {
  const startedAt = performance.now();
  const durations: number[] = [];
  const { send } = ingestWith({ observeDuration: (seconds) => void durations.push(seconds) });
  await send(batchRequest());
  await send(batchRequest({ method: "GET" }));
  expect(durations).toHaveLength(2);
  for (const seconds of durations) {
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan((performance.now() - startedAt) / 1000);
  }
});

test("the bytes of bodies count, those of refused requests too, once they are read", async () => {
  const { send, ledger } = ingestWith();
  await send(batchRequest({ body: "[{}]" }));
  await send(batchRequest({ body: "nonsense" }));
  expect(ledger.sensor("vps-frankfurt-01").bodyBytes).toBe(12);
});
