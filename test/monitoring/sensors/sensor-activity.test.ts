import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { SensorActivity } from "../../../server/monitoring/sensors/sensor-activity.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";
import { createSampled, type SampledParts } from "../sampled.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

function recorded() {
  const clock = createWoundClock();
  const activity = new SensorActivity(chronicleOf(clock));
  const sampled = createSampled();
  return {
    clock,
    activity,
    batch: (sensorId = "vps-1") => activity.noteBatch(sensorId, clock.now()),
    event: (parts: SampledParts = {}) => activity.noteEvent(sampled({ receivedAt: clock.now(), ...parts })),
    /** An event whose time stamp has this age when the event is received. */
    stamped(ageMs: number) {
      activity.noteEvent(sampled({ receivedAt: clock.now(), timestampMs: clock.now() - ageMs }));
    },
  };
}

describe("batches", () => {
  test("without any, the times are undefined", () => {
    const { activity } = recorded();
    expect(activity.timesOf("vps-1")).toBeUndefined();
  });

  test("after one, there is no usual gap", () => {
    const { activity, batch, clock } = recorded();
    batch();
    expect(activity.timesOf("vps-1")).toMatchObject({
      lastBatchAt: clock.now(),
      lastBatchMs: 0,
      usualGapMs: undefined,
      gapCount: 0,
    });
  });

  test("after several, the usual gap is the median", () => {
    const { activity, batch, clock } = recorded();
    batch();
    for (const gap of [10, 10, 10, 500, 12]) {
      clock.advance(gap * second);
      batch();
    }
    expect(activity.timesOf("vps-1")).toMatchObject({ usualGapMs: 10 * second, gapCount: 5 });
  });

  test("after many, the last 32 gaps count", () => {
    const { activity, batch, clock } = recorded();
    for (let i = 0; i < 100; i++) {
      clock.advance(i < 60 ? hour : minute);
      batch();
    }
    expect(activity.timesOf("vps-1")).toMatchObject({ usualGapMs: minute, gapCount: 32 });
  });

  test("do not get a gap when the wall clock is set", () => {
    const { activity, batch, clock } = recorded();
    batch();
    clock.setWall(clock.now() - 5 * hour);
    clock.advance(10 * second);
    batch();
    expect(activity.timesOf("vps-1")).toMatchObject({ usualGapMs: 10 * second, lastBatchAt: clock.now() });
  });

  test("of two sensors are separate", () => {
    const { activity, batch } = recorded();
    batch("vps-1");
    expect(activity.timesOf("vps-2")).toBeUndefined();
  });
});

describe("a clock", () => {
  test("is behind by the smallest age of the last events, however long others waited in batches", () => {
    const { activity, batch, stamped } = recorded();
    batch();
    for (const age of [70, 62, 61, 69]) stamped(age * second);
    expect(activity.timesOf("vps-1")?.clockBehindSeconds).toBe(61);
  });

  test("is ahead if events are from the future", () => {
    const { activity, batch, stamped } = recorded();
    batch();
    stamped(-hour);
    expect(activity.timesOf("vps-1")?.clockBehindSeconds).toBe(-3600);
  });

  test("that was corrected is right after 20 minutes", () => {
    const { activity, batch, stamped, clock } = recorded();
    batch();
    for (let i = 0; i < 21; i++) {
      stamped(i === 0 ? -hour : 2 * second);
      clock.advance(minute);
    }
    expect(activity.timesOf("vps-1")?.clockBehindSeconds).toBe(2);
  });

  test("is unknown without time stamps", () => {
    const { activity, batch, event } = recorded();
    batch();
    event();
    expect(activity.timesOf("vps-1")?.clockBehindSeconds).toBeUndefined();
  });
});

describe("the most frequent values of a sensor", () => {
  test("have names", () => {
    const { activity, event } = recorded();
    event({
      port: 22,
      countryIsoCode: "SE",
      countryName: "Sweden",
      asNumber: 1221,
      asOrganizationName: "Net",
    });
    event({ port: 22 });
    const { ports, countries, networks } = activity.topOf("vps-1");
    expect(ports).toEqual({ entries: [{ key: "22", label: null, count: 2 }], other: 0, none: 0 });
    expect(countries).toEqual({ entries: [{ key: "SE", label: "Sweden", count: 1 }], other: 0, none: 1 });
    expect(networks).toEqual({ entries: [{ key: "1221", label: "Net", count: 1 }], other: 0, none: 1 });
  });

  test("are those of the last 12 to 24 hours", () => {
    const { activity, event, clock } = recorded();
    const beganAt = clock.now();
    event({ port: 22 });
    clock.advance(13 * hour);
    event({ port: 23 });
    expect(activity.topOf("vps-1").sinceAt).toBe(beganAt);
    expect(activity.topOf("vps-1").ports.entries).toHaveLength(2);
    clock.advance(12 * hour);
    expect(activity.topOf("vps-1").sinceAt).toBe(beganAt + 12 * hour);
    expect(activity.topOf("vps-1").ports.entries).toEqual([{ key: "23", label: null, count: 1 }]);
    clock.advance(48 * hour);
    expect(activity.topOf("vps-1").ports.entries).toEqual([]);
  });

  test("are empty for a sensor without events", () => {
    const { activity, clock } = recorded();
    const nothing = { entries: [], other: 0, none: 0 };
    expect(activity.topOf("vps-1")).toEqual({
      sinceAt: clock.now(),
      ports: nothing,
      countries: nothing,
      networks: nothing,
    });
  });
});

test("a thousand sensors whose events are all different take a few megabytes", () => {
  const { activity, batch, event, clock } = recorded();
  const heapBytes = () => {
    Bun.gc(true);
    return heapStats().heapSize + heapStats().extraMemorySize;
  };
  const before = heapBytes();
  for (let generation = 0; generation < 2; generation++) {
    for (let i = 0; i < 100_000; i++) {
      const sensorId = `vps-${i % 1000}`;
      if (i < 1000) batch(sensorId);
      event({
        sensorId,
        port: i % 65_536,
        countryIsoCode: String.fromCharCode(65 + (i % 26), 65 + ((i >> 5) % 26)),
        asNumber: i,
        asOrganizationName: `${i} ${"x".repeat(120)}`,
      });
    }
    clock.advance(12 * hour);
  }
  expect(activity.topOf("vps-1").ports.entries.length).toBeGreaterThan(10);
  expect(heapBytes() - before).toBeLessThan(10_000_000);
}, 60_000);
