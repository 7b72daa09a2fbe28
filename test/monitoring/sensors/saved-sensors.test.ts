import { describe, expect, test } from "bun:test";
import { Chronicle } from "../../../server/monitoring/history/chronicle.ts";
import { RefusalRecords } from "../../../server/monitoring/refusals/refusal-records.ts";
import { SavedEntries } from "../../../server/monitoring/saved-state/saved-entries.ts";
import { forgetOldSensors } from "../../../server/monitoring/sensors/forget-old-sensors.ts";
import { SensorActivity } from "../../../server/monitoring/sensors/sensor-activity.ts";
import { SensorTotals } from "../../../server/monitoring/sensors/sensor-totals.ts";
import { add, Ledger } from "../../../server/telemetry/ledger.ts";
import { MemoryState } from "../../support/saved-state.ts";
import { createWoundClock } from "../../support/wound-clock.ts";
import { createSampled } from "../sampled.ts";

const minute = 60_000;
const day = 86_400_000;

function partsOf(clock = createWoundClock(), state = new MemoryState()) {
  const saved = state.saved();
  const chronicle = new Chronicle({ clock, saved });
  const ledger = new Ledger();
  const activity = new SensorActivity(chronicle, saved);
  const claimOf = (id: string | null) => ({ text: id ?? undefined, sensorId: id ?? undefined });
  const refusals = new RefusalRecords({ claimOf, chronicle, saved });
  const totals = new SensorTotals(ledger, saved);
  const sampled = createSampled();
  return {
    clock,
    chronicle,
    activity,
    refusals,
    totals,
    keep(sensorId: string, events = 1) {
      const account = ledger.sensor(sensorId);
      add(account.requestsByStatus, 204);
      account.keptEvents += events;
      activity.noteBatch(sensorId, clock.now());
      for (let i = 0; i < events; i++)
        activity.noteEvent(
          sampled({
            sensorId,
            port: 22,
            countryIsoCode: "SE",
            countryName: "Sweden",
            asNumber: 7,
            asOrganizationName: "Net",
          }),
        );
    },
    refuse(sensorId: string, claimedId: string | null = null, client = "192.0.2.1") {
      const reason = claimedId === null ? "invalid_request" : "unauthorized";
      add(ledger.sensor(sensorId).refusedBatches, reason);
      if (claimedId === null) add(ledger.sensor(sensorId).estimatedRefusedEvents, reason, 30);
      refusals.note({ reason, sensorId, claimedId, client, detail: undefined });
    },
    save() {
      state.save(
        chronicle,
        totals,
        { changes: () => activity.timeChanges() },
        { changes: () => activity.countChanges() },
        { changes: () => refusals.sensorChanges() },
        { changes: () => refusals.groupChanges() },
      );
    },
    /** @param sensorIds the sensors that are configured then */
    restart(pauseMs: number, sensorIds: readonly string[] = ["vps-1"]) {
      clock.advance(pauseMs);
      const next = partsOf(clock, state);
      forgetOldSensors({ ...next, sensorIds });
      return next;
    },
  };
}

describe("after a restart", () => {
  test("the first and the last batch of a sensor and its usual gap are known", () => {
    const before = partsOf();
    const firstBatchAt = before.clock.now();
    for (let i = 0; i < 40; i++) {
      before.keep("vps-1");
      before.clock.advance(i < 39 ? 30_000 : 0);
    }
    before.save();
    const times = before.activity.timesOf("vps-1");
    expect(times).toMatchObject({ firstBatchAt, usualGapMs: 30_000, gapCount: 32 });
    const after = before.restart(5 * minute);
    expect(after.activity.timesOf("vps-1")).toMatchObject({ firstBatchAt, usualGapMs: 30_000, gapCount: 32 });
    expect(after.activity.timesOf("vps-1")?.lastBatchAt).toBe(times?.lastBatchAt ?? 0);
  });

  test("the time without Loom is not a gap between batches, and not a silence of the sensor", () => {
    const before = partsOf();
    for (let i = 0; i < 10; i++) {
      before.clock.advance(1_000);
      before.keep("vps-1");
    }
    before.save();
    const after = before.restart(60 * minute);
    const { lastBatchMs = 0 } = after.activity.timesOf("vps-1") ?? {};
    expect(after.chronicle.runningMs(lastBatchMs, after.chronicle.elapsedMs)).toBe(0);
    for (let i = 0; i < 40; i++) {
      after.clock.advance(1_000);
      after.keep("vps-1");
    }
    expect(after.activity.timesOf("vps-1")).toMatchObject({ usualGapMs: 1_000, gapCount: 32 });
  });

  test("what a sensor's events were about is known, with names", () => {
    const before = partsOf();
    before.keep("vps-1", 3);
    before.save();
    const after = before.restart(minute);
    after.keep("vps-1", 1);
    expect(after.activity.topOf("vps-1")).toEqual({
      ...before.activity.topOf("vps-1"),
      sinceAt: expect.any(Number),
      ports: expect.objectContaining({ entries: [{ key: "22", label: null, count: 4 }] }),
      countries: expect.objectContaining({ entries: [{ key: "SE", label: "Sweden", count: 4 }] }),
      networks: expect.objectContaining({ entries: [{ key: "7", label: "Net", count: 4 }] }),
    });
  });

  test("totals continue, and those of the ledger begin at 0", () => {
    const before = partsOf();
    before.keep("vps-1", 5);
    before.refuse("vps-1");
    before.refuse("unknown", "vps-1");
    before.save();
    const after = before.restart(minute);
    after.keep("vps-1", 2);
    after.refuse("vps-1");
    expect(after.totals.of("vps-1")).toMatchObject({
      keptEvents: 7,
      keptBatches: 2,
      refusedRequests: { invalid_request: 2 },
      refusedEvents: { invalid_request: 60 },
      isRefusedEstimate: true,
    });
    expect(after.totals.keptEvents()).toBe(7);
    expect(Object.fromEntries(after.totals.refusedByReason())).toEqual({
      invalid_request: 2,
      unauthorized: 1,
    });
    after.save();
    expect(after.restart(minute).totals.keptEvents()).toBe(7);
  });

  test("totals without the events of refused requests, which an older version saved, are read", () => {
    const saved = new SavedEntries([
      [
        "totals",
        "vps-1",
        '{"keptEvents":5,"keptBatches":1,"ignoredEvents":0,"bodyBytes":9,"refusedRequests":{"x":2}}',
      ],
    ]);
    expect(new SensorTotals(new Ledger(), saved).of("vps-1")).toEqual({
      ...{ keptEvents: 5, keptBatches: 1, ignoredEvents: 0, bodyBytes: 9 },
      ...{ refusedRequests: { x: 2 }, refusedEvents: {}, isRefusedEstimate: false },
    });
  });

  test("refused requests are known: groups, the last of each sensor, claims, and evicted ones", () => {
    const before = partsOf();
    before.refuse("vps-1");
    before.refuse("unknown", "vps-1");
    for (let i = 0; i < 40; i++) before.refuse("unknown", "vps-1", `192.0.2.${i}`);
    before.save();
    const after = before.restart(minute);
    expect(after.refusals.groups()).toEqual(before.refusals.groups());
    expect(after.refusals.groupsOf("vps-1")).toEqual(before.refusals.groupsOf("vps-1"));
    expect(after.refusals.of("vps-1")).toEqual(before.refusals.of("vps-1"));
    expect(after.refusals.lastAt).toBe(before.refusals.lastAt);
    expect(after.refusals.evictedRequests).toBe(before.refusals.evictedRequests);
    after.refuse("vps-1");
    expect(after.refusals.groupsOf("vps-1")[0]).toMatchObject({ reason: "invalid_request", count: 2 });
  });
});

describe("a sensor that is no longer configured", () => {
  test("is known for 30 days, and is then forgotten without changing the totals of all sensors", () => {
    const before = partsOf();
    before.keep("gone", 4);
    before.refuse("gone");
    before.keep("vps-1", 1);
    before.save();
    const soon = before.restart(29 * day);
    expect(soon.activity.timesOf("gone")).toBeDefined();
    soon.save();
    const late = soon.restart(2 * day);
    expect(late.activity.timesOf("gone")).toBeUndefined();
    expect(late.refusals.of("gone").lastOwn).toBeUndefined();
    expect(late.totals.of("gone").keptEvents).toBe(0);
    late.save();
    const last = late.restart(0);
    expect(last.activity.sensorIds()).toEqual(["vps-1"]);
    expect(last.totals.sensorIds()).toEqual(["vps-1"]);
    expect(last.totals.keptEvents()).toBe(5);
    expect(last.totals.refusedRequests()).toBe(1);
  });

  test("is not forgotten if it is configured again", () => {
    const before = partsOf();
    before.keep("vps-1", 4);
    before.save();
    const after = before.restart(300 * day);
    expect(after.totals.of("vps-1").keptEvents).toBe(4);
  });
});
