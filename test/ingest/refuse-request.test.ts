import { describe, expect, test } from "bun:test";
import { CannotKeep } from "../../server/pipeline.ts";
import { batchRequest, ingestWith, type RequestParts } from "../support/ingest.ts";

const sensorId = "vps-frankfurt-01";
/** 100 bytes with its comma. */
const event = `{"a":"${"x".repeat(91)}"}`;
const batchOf = (events: number) => `[${new Array(events).fill(event).join(",")}]`;

async function refusalOf(parts: RequestParts, options: Parameters<typeof ingestWith>[0] = {}) {
  const { send, refusals, ledger } = ingestWith({
    ...options,
    limits: { perSensorRps: 1, ...options.limits },
  });
  await send(batchRequest({ body: batchOf(10) }));
  await send(batchRequest(parts));
  const { refusedEvents, estimatedRefusedEvents } = ledger.sensor(sensorId);
  return { refusal: refusals.at(-1), refusedEvents, estimatedRefusedEvents, ledger };
}

describe("the events of a refused request", () => {
  test("over the rate are estimated from its length, and the detail names the limit", async () => {
    const { refusal, refusedEvents, estimatedRefusedEvents } = await refusalOf({ body: batchOf(30) });
    expect(refusal).toMatchObject({
      reason: "rate_limit_exceeded",
      detail: "over 1 request/s",
      events: { count: 30, isEstimate: true },
    });
    expect(estimatedRefusedEvents).toEqual(new Map([["rate_limit_exceeded", 30]]));
    expect(refusedEvents.size).toBe(0);
  });

  test("over the rate of events name that limit", async () => {
    const limits = { perSensorRps: undefined, perSensorEventsRps: 2 };
    expect((await refusalOf({}, { limits })).refusal?.detail).toBe("over 2 events/s");
  });

  test("over the size are estimated from its length", async () => {
    const limits = { perSensorRps: undefined, maxBodySizeBytes: 2000 };
    const { estimatedRefusedEvents } = await refusalOf({ body: batchOf(40) }, { limits });
    expect(estimatedRefusedEvents).toEqual(new Map([["payload_too_large", 40]]));
  });

  test("that could not be kept are counted", async () => {
    const keep = () => Promise.reject(new CannotKeep("outbox full"));
    const { refusal, refusedEvents, estimatedRefusedEvents } = await refusalOf(
      { body: batchOf(7) },
      { keep, limits: { perSensorRps: undefined } },
    );
    expect(refusal?.events).toEqual({ count: 7, isEstimate: false });
    expect(refusedEvents).toEqual(new Map([["unavailable", 17]]));
    expect(estimatedRefusedEvents.size).toBe(0);
  });

  test("without a valid token are not counted for any sensor", async () => {
    const { ledger } = await refusalOf({ headers: { authorization: "Bearer guessed" }, body: batchOf(5) });
    expect(ledger.sensor("unknown").estimatedRefusedEvents.size).toBe(0);
    expect(ledger.sensor("unknown").refusedBatches).toEqual(new Map([["unauthorized", 1]]));
  });
});

describe("a request that is not counted for a sensor names the owner of its token", () => {
  for (const [what, parts] of [
    ["if X-Spip-ID names another sensor", { headers: { "x-spip-id": "vps-paris-01" } }],
    ["if its path is wrong", { path: "/api/v2/ingest" }],
    ["if its method is wrong", { method: "PUT" }],
  ] as const)
    test(what, async () => {
      const { refusal } = await refusalOf(parts);
      expect(refusal).toMatchObject({ sensorId: "unknown", tokenSensorId: sensorId });
    });

  test("but not if the token is not configured", async () => {
    const { refusal } = await refusalOf({ path: "/nothing", headers: { authorization: "Bearer guessed" } });
    expect(refusal).toMatchObject({ sensorId: "unknown", tokenSensorId: undefined });
  });
});
