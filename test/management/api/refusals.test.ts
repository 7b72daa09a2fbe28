import { describe, expect, test } from "bun:test";
import type { RefusalCode } from "../../../server/ingest/refusal.ts";
import { statusOfRefusal } from "../../../server/ingest/refusal.ts";
import type { RefusalsAnswer, Series } from "../../../server/management/api/answers.ts";
import { refusalAdvice } from "../../../server/management/api/refusal-advice.ts";
import { createRefusalsApi } from "../../../server/management/api/refusals.ts";
import { startHistory } from "../../../server/monitoring/history/history.ts";
import { trackRefusals } from "../../../server/monitoring/refusals/refusal-history.ts";
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

const sumOf = ({ values }: Series) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0);

test("the answer has every group and their sum", async () => {
  const clock = createWoundClock();
  const chronicle = chronicleOf(clock);
  const ledger = new Ledger();
  const history = startHistory({ ledger, chronicle });
  const refusals = new RefusalRecords({
    claimOf: (text) => ({ text: text ?? undefined, sensorId: text?.startsWith("vps") ? text : undefined }),
    chronicle,
  });
  const refusalHistory = trackRefusals(history, refusals);
  const refuse = (reason: RefusalCode, sensorId: string, claimedId: string | null) => {
    add(ledger.sensor(sensorId).refusedBatches, reason);
    const events = { count: 20, isEstimate: true };
    refusals.note({ reason, sensorId, claimedId, client: "192.0.2.1", detail: undefined, events });
  };
  const firstAt = clock.now();
  refuse("unauthorized", "unknown", "vps-1");
  refuse("unauthorized", "unknown", "vps-1");
  refuse("not_found", "unknown", null);
  clock.advance(10_000);
  refuse("payload_too_large", "vps-2", null);
  clock.advance(20_000);
  const api = createRefusalsApi({
    ...{ ledger, history, refusals, refusalHistory, chronicle },
    totals: new SensorTotals(ledger),
    now: clock.now,
    monotonic: clock.monotonic,
  });
  const answer = await getJson<RefusalsAnswer>(api, "/api/v1/refusals");
  const one = { client: "192.0.2.1", detail: null };
  expect(answer).toMatchObject({
    now: clock.now(),
    requests: 4,
    totalRequests: 4,
    countedSinceAt: firstAt,
    forgottenRequests: 0,
  });
  expect(answer.refusals).toEqual([
    {
      ...one,
      reason: "payload_too_large",
      status: 413,
      sensorId: "vps-2",
      isStranger: false,
      claimedSensorId: null,
      firstAt: firstAt + 10_000,
      lastAt: firstAt + 10_000,
      count: 1,
      events: 20,
      isEstimate: true,
    },
    {
      ...one,
      reason: "not_found",
      status: 404,
      sensorId: null,
      isStranger: true,
      claimedSensorId: null,
      firstAt,
      lastAt: firstAt,
      count: 1,
      events: 0,
      isEstimate: false,
    },
    {
      ...one,
      reason: "unauthorized",
      status: 401,
      sensorId: null,
      isStranger: false,
      claimedSensorId: "vps-1",
      firstAt,
      lastAt: firstAt,
      count: 2,
      events: 40,
      isEstimate: true,
    },
  ]);
  expect(sumOf(answer.history)).toBe(4);
  expect(sumOf(answer.sensorHistory)).toBe(3);
  expect(sumOf(answer.strangerHistory)).toBe(1);
  expect(answer.own).toEqual({
    requests: 1,
    requestsLastHour: 1,
    events: 20,
    eventsLastHour: 20,
    isEstimate: true,
    lastAt: firstAt + 10_000,
    byReason: { payload_too_large: { requests: 1, events: 20, isEstimate: true } },
  });
  expect(answer.claimed).toMatchObject({
    requests: 2,
    events: 40,
    byReason: { unauthorized: { requests: 2 } },
  });
  expect(answer.strangers).toMatchObject({
    requests: 1,
    events: 0,
    byReason: { not_found: { requests: 1, events: 0 } },
  });
  expect(answer.advice.unauthorized?.cure).toContain("token");
  history.stop();
});
