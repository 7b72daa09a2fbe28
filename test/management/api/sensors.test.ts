import { describe, expect, spyOn, test } from "bun:test";
import type { RefusalCode } from "../../../server/ingest/refusal.ts";
import type { SensorDetailAnswer, SensorsAnswer } from "../../../server/management/api/answers.ts";
import { SensorAnswers } from "../../../server/management/api/sensor-answers.ts";
import { createSensorsApi } from "../../../server/management/api/sensors.ts";
import { startHistory } from "../../../server/monitoring/history/history.ts";
import { RefusalRecords } from "../../../server/monitoring/refusals/refusal-records.ts";
import { SensorActivity } from "../../../server/monitoring/sensors/sensor-activity.ts";
import { SensorLoss } from "../../../server/monitoring/sensors/sensor-loss.ts";
import { SensorTotals } from "../../../server/monitoring/sensors/sensor-totals.ts";
import { add, addKept, Ledger } from "../../../server/telemetry/ledger.ts";
import { createSampled } from "../../monitoring/sampled.ts";
import { getJson, getStatus } from "../../support/api.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";

function dashboard(sensorIds: string[] = ["vps-1", "vps-2"]) {
  const clock = createWoundClock();
  const chronicle = chronicleOf(clock);
  const ledger = new Ledger();
  const history = startHistory({ ledger, chronicle });
  const activity = new SensorActivity(chronicle);
  const refusals = new RefusalRecords({
    claimOf: (text) => ({
      text: text ?? undefined,
      sensorId: text !== null && sensorIds.includes(text) ? text : undefined,
    }),
    chronicle,
  });
  const loss = new SensorLoss(clock);
  const sensors = new SensorAnswers({
    sensorIds: () => sensorIds,
    quietAfterSeconds: 120,
    ledger,
    history,
    activity,
    refusals,
    loss,
    totals: new SensorTotals(ledger),
    chronicle,
  });
  const api = createSensorsApi({ sensors, now: clock.now, monotonic: clock.monotonic });
  const sampled = createSampled();
  return {
    clock,
    ledger,
    activity,
    refusals,
    sensors,
    sensorIds,
    api,
    keep(sensorId: string, events: number) {
      // Reading the history samples it, as the timer does.
      history.kept.lastHour();
      const account = ledger.sensor(sensorId);
      add(account.requestsByStatus, 204);
      account.keptEvents += events;
      account.bodyBytes += events * 1000;
      activity.noteBatch(sensorId, clock.now());
      loss.noteKept(sensorId, events);
      for (let i = 0; i < events; i++)
        activity.noteEvent(
          sampled({ sensorId, receivedAt: clock.now(), port: 22, timestampMs: clock.now() - 3000 }),
        );
    },
    refuse(reason: RefusalCode, sensorId: string, claimedId: string | null = null) {
      const account = ledger.sensor(sensorId);
      const events = { count: 10, isEstimate: true };
      add(account.refusedBatches, reason);
      if (sensorId !== "unknown") add(account.estimatedRefusedEvents, reason, events.count);
      const request = { reason, sensorId, claimedId, client: "192.0.2.1", detail: undefined, events };
      refusals.note(request);
      loss.noteRefused(request);
    },
    async one(sensorId: string) {
      clock.advance(1000);
      const { sensors } = await getJson<SensorsAnswer>(api, "/api/v1/sensors");
      return sensors.find(({ id }) => id === sensorId);
    },
  };
}

describe("the list", () => {
  test("has a sensor that was never seen", async () => {
    const { one } = dashboard();
    expect(await one("vps-1")).toEqual({
      id: "vps-1",
      state: "never_seen",
      note: "no request with its token since Loom started",
      loss: null,
      isConfigured: true,
      firstBatchAt: null,
      lastBatchAt: null,
      usualGapMs: null,
      perSecond: { minute: 0, fiveMinutes: 0, hour: 0 },
      sparkline: new Array(60).fill(null),
      keptEvents: 0,
      keptBatches: 0,
      ignoredEvents: 0,
      bodyBytes: 0,
      refusedRequests: {},
      refusedEvents: {},
      isRefusedEstimate: false,
      totals: {
        ...{ keptEvents: 0, keptBatches: 0, ignoredEvents: 0, bodyBytes: 0 },
        ...{ refusedRequests: {}, refusedEvents: {}, isRefusedEstimate: false },
      },
      lastRefusal: null,
      claimedRefusals: 0,
      claimedEvents: 0,
      clockBehindSeconds: null,
      isClockOff: false,
    });
  });

  test("has the totals and rates of a sensor", async () => {
    const { one, keep, clock } = dashboard();
    const beganAt = clock.now();
    for (let i = 0; i < 7; i++) {
      clock.advance(10_000);
      keep("vps-1", 6);
    }
    const sensor = await one("vps-1");
    expect(sensor).toMatchObject({
      state: "reporting",
      note: "usual gap 10 s",
      lastBatchAt: beganAt + 70_000,
      usualGapMs: 10_000,
      keptEvents: 42,
      keptBatches: 7,
      bodyBytes: 42_000,
      clockBehindSeconds: 3,
    });
    // 42 events in 71 s.
    expect(sensor?.perSecond.hour).toBe(0.592);
    // Without the last 6 events, whose step is not over.
    expect(sensor?.sparkline.slice(-2)).toEqual([0, 36]);
  });

  test("has a sensor as reporting although rules removed all of its events", async () => {
    const { one, keep, ledger } = dashboard();
    keep("vps-1", 0);
    addKept(ledger.sensor("vps-1"), 0, [{ tally: ledger.rule("own", "drop"), events: 3 }]);
    expect(await one("vps-1")).toMatchObject({
      state: "reporting",
      keptEvents: 0,
      keptBatches: 1,
      ignoredEvents: 3,
    });
  });

  test("has refusals with the sensor's token by reason", async () => {
    const { one, keep, refuse, clock } = dashboard();
    keep("vps-1", 1);
    clock.advance(1000);
    refuse("payload_too_large", "vps-1");
    refuse("payload_too_large", "vps-1");
    refuse("invalid_request", "vps-1");
    expect(await one("vps-1")).toMatchObject({
      state: "refused",
      refusedRequests: { payload_too_large: 2, invalid_request: 1 },
      refusedEvents: { payload_too_large: 20, invalid_request: 10 },
      isRefusedEstimate: true,
      lastRefusal: { reason: "invalid_request", isOnlyClaimed: false },
      claimedRefusals: 0,
    });
  });

  test("has a sensor as losing events until nothing was refused for five minutes", async () => {
    const { one, keep, refuse, clock } = dashboard();
    for (let second = 0; second < 60; second++) {
      keep("vps-1", 10);
      if (second % 2 === 0) refuse("rate_limit_exceeded", "vps-1");
      clock.advance(1000);
    }
    expect(await one("vps-1")).toMatchObject({
      state: "losing",
      note: "≈ 33 % lost: rate_limit_exceeded; 30 of 90 requests were refused in the last 5 min",
      loss: { share: 1 / 3, refusedEvents: 300, keptEvents: 600, refusedRequests: 30, keptRequests: 60 },
    });
    for (let second = 0; second < 240; second++) {
      clock.advance(1000);
      keep("vps-1", 10);
    }
    expect(await one("vps-1")).toMatchObject({ state: "losing", loss: { refusedRequests: 30 } });
    for (let second = 0; second < 70; second++) {
      clock.advance(1000);
      keep("vps-1", 10);
    }
    expect(await one("vps-1")).toMatchObject({ state: "reporting", loss: null });
  });

  test("has refusals of a client that only claims to be the sensor", async () => {
    const { one, refuse, clock } = dashboard();
    const at = clock.now();
    refuse("unauthorized", "unknown", "vps-1");
    expect(await one("vps-1")).toMatchObject({
      state: "refused",
      refusedRequests: {},
      lastRefusal: { reason: "unauthorized", at, isOnlyClaimed: true },
      claimedRefusals: 1,
      claimedEvents: 10,
    });
  });

  test("has a sensor that sent events and is no longer configured", async () => {
    const { one, keep, sensorIds } = dashboard();
    keep("vps-2", 1);
    sensorIds.pop();
    expect(await one("vps-2")).toMatchObject({ isConfigured: false, keptEvents: 1 });
  });

  test("has no unknown sensor", async () => {
    const { one, refuse } = dashboard();
    refuse("unauthorized", "unknown", "nobody");
    expect(await one("unknown")).toBeUndefined();
    expect(await one("nobody")).toBeUndefined();
  });

  test("adds nothing to the ledger", async () => {
    const { one, ledger } = dashboard();
    await one("vps-1");
    expect(ledger.sensors.size).toBe(0);
  });
});

describe("one sensor", () => {
  test("has its history, its most frequent values and its refusals", async () => {
    const { api, keep, refuse, clock } = dashboard();
    const beganAt = clock.now();
    keep("vps-1", 10);
    refuse("invalid_request", "vps-1");
    refuse("unauthorized", "unknown", "vps-1");
    refuse("unauthorized", "unknown", "vps-2");
    clock.advance(300_000);
    const detail = await getJson<SensorDetailAnswer>(api, "/api/v1/sensors/vps-1");
    expect(detail.now).toBe(clock.now());
    expect(detail.sensor.id).toBe("vps-1");
    expect(detail.history.values).toHaveLength(288);
    expect(detail.history.values.at(-1)).toBe(10);
    expect(detail.top).toMatchObject({
      sinceAt: beganAt,
      ports: { entries: [{ key: "22", count: 10 }], other: 0, none: 0 },
    });
    expect(detail.refusals.map(({ reason, sensorId }) => [reason, sensorId])).toEqual([
      ["unauthorized", null],
      ["invalid_request", "vps-1"],
    ]);
  });

  test("is found by its id, percent-encoded", async () => {
    const { api } = dashboard(["a/b c%", "__proto__"]);
    for (const id of ["a/b c%", "__proto__"]) {
      const { sensor } = await getJson<SensorDetailAnswer>(api, `/api/v1/sensors/${encodeURIComponent(id)}`);
      expect(sensor.id).toBe(id);
    }
  });

  for (const path of ["nobody", "unknown", "constructor", "%E0%A4%A", "vps-1/", "%00", ""])
    test(`that does not exist is 404: ${path}`, async () => {
      const { api, refuse } = dashboard();
      refuse("unauthorized", "unknown");
      expect(await getStatus(api, `/api/v1/sensors/${path}`)).toBe(404);
    });
});

test("the fleet has the sensors by state, those in trouble, and the worst loss", () => {
  const ids = [
    "reports",
    "loses",
    "loses-more",
    "quiet",
    "silent",
    "refused",
    "never",
    "wrong-clock",
    "removed",
  ];
  const { sensors, sensorIds, activity, keep, refuse, clock } = dashboard(ids);
  keep("silent", 1);
  keep("removed", 1);
  clock.advance(25 * 3_600_000);
  keep("quiet", 1);
  clock.advance(25 * 3_600_000);
  for (const id of ["reports", "loses", "loses-more"]) keep(id, 90);
  for (const id of ["loses", "loses-more", "loses-more", "refused"]) refuse("rate_limit_exceeded", id);
  activity.noteBatch("wrong-clock", clock.now());
  const hourAgo = clock.now() - 3_600_000;
  const times = { receivedAt: clock.now(), timestampMs: hourAgo };
  activity.noteEvent(createSampled()({ sensorId: "wrong-clock", ...times }));
  sensorIds.pop();
  expect(sensors.fleet().byState).toEqual({
    reporting: 2,
    losing: 2,
    quiet: 1,
    silent: 1,
    refused: 1,
    never_seen: 1,
  });
  expect(sensors.fleet()).toMatchObject({ troubled: 6, clocksOff: 1 });
  expect(sensors.fleet().worstLoss).toEqual({
    sensorId: "loses-more",
    words: "≈ 18 % lost: rate_limit_exceeded",
  });
});

test("listing a thousand sensors reads a few records of each, and never all groups of refusals", () => {
  const ids = Array.from({ length: 1000 }, (_, i) => `vps-${i}`);
  const { sensors, activity, refusals, keep, refuse } = dashboard(ids);
  for (const id of ids) {
    keep(id, 2);
    refuse("rate_limit_exceeded", id);
  }
  const [of, timesOf] = [spyOn(refusals, "of"), spyOn(activity, "timesOf")];
  const [groups, groupsOf] = [spyOn(refusals, "groups"), spyOn(refusals, "groupsOf")];
  expect(sensors.all()).toHaveLength(1000);
  expect(of).toHaveBeenCalledTimes(3000);
  expect(timesOf).toHaveBeenCalledTimes(1000);
  expect(groups).not.toHaveBeenCalled();
  expect(groupsOf).not.toHaveBeenCalled();
});
