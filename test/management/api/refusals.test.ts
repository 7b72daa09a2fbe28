import { describe, expect, test } from "bun:test";
import type { RefusalCode } from "../../../server/ingest/refusal.ts";
import { statusOfRefusal } from "../../../server/ingest/refusal.ts";
import type { RefusalsAnswer } from "../../../server/management/api/answers.ts";
import { refusalAdvice } from "../../../server/management/api/refusal-advice.ts";
import { createRefusalsApi } from "../../../server/management/api/refusals.ts";
import { startHistory } from "../../../server/monitoring/history/history.ts";
import { RefusalRecords } from "../../../server/monitoring/refusals/refusal-records.ts";
import { SensorTotals } from "../../../server/monitoring/sensors/sensor-totals.ts";
import { add, Ledger } from "../../../server/telemetry/ledger.ts";
import { getJson } from "../../support/api.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";

describe("every refusal", () => {
  for (const code of Object.keys(statusOfRefusal) as (keyof typeof statusOfRefusal)[])
    test(`${code} has a cause and a cure in whole sentences`, () => {
      const { cause, cure } = refusalAdvice[code];
      for (const sentence of [cause, cure]) expect(sentence).toMatch(/^[A-Z].{20,300}\.$/);
    });
});

test("the answer has every group and their sum", async () => {
  const clock = createWoundClock();
  const chronicle = chronicleOf(clock);
  const ledger = new Ledger();
  const history = startHistory({ ledger, chronicle });
  const refusals = new RefusalRecords({
    claimOf: (text) => ({ text: text ?? undefined, sensorId: text ?? undefined }),
    chronicle,
  });
  const refuse = (reason: RefusalCode, sensorId: string, claimedId: string | null) => {
    add(ledger.sensor(sensorId).refusedBatches, reason);
    refusals.note({ reason, sensorId, claimedId, client: "192.0.2.1", detail: undefined });
  };
  const firstAt = clock.now();
  refuse("unauthorized", "unknown", "vps-1");
  refuse("unauthorized", "unknown", "vps-1");
  clock.advance(10_000);
  refuse("payload_too_large", "vps-2", null);
  const api = createRefusalsApi({
    ...{ ledger, history, refusals, chronicle },
    totals: new SensorTotals(ledger),
    now: clock.now,
    monotonic: clock.monotonic,
  });
  const answer = await getJson<RefusalsAnswer>(api, "/api/v1/refusals");
  const one = { client: "192.0.2.1", detail: null };
  expect(answer).toMatchObject({
    now: clock.now(),
    requests: 3,
    totalRequests: 3,
    countedSinceAt: firstAt,
    forgottenRequests: 0,
  });
  expect(answer.refusals).toEqual([
    {
      ...one,
      reason: "payload_too_large",
      status: 413,
      sensorId: "vps-2",
      claimedSensorId: null,
      firstAt: firstAt + 10_000,
      lastAt: firstAt + 10_000,
      count: 1,
    },
    {
      ...one,
      reason: "unauthorized",
      status: 401,
      sensorId: null,
      claimedSensorId: "vps-1",
      firstAt,
      lastAt: firstAt,
      count: 2,
    },
  ]);
  expect(answer.history.values.at(-1)).toBe(3);
  expect(answer.advice.unauthorized?.cure).toContain("token");
  history.stop();
});
