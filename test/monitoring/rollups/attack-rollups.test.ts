import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { AttackRollups } from "../../../server/monitoring/rollups/attack-rollups.ts";
import type { AttackWindow } from "../../../server/monitoring/rollups/top-list.ts";
import { createRandom } from "../../support/random.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";
import { createSampled, type SampledParts } from "../sampled.ts";

const minute = 60_000;
const hour = 60 * minute;
const windows: readonly AttackWindow[] = ["5m", "1h", "24h"];

function rollups() {
  const clock = createWoundClock();
  const beganAt = clock.now();
  const attacks = new AttackRollups(chronicleOf(clock));
  const sampled = createSampled();
  const counts = (window: AttackWindow) => attacks.read(window).counts;
  return {
    clock,
    beganAt,
    attacks,
    note: (parts?: SampledParts) => attacks.note(sampled(parts)),
    counts,
    ports: (window: AttackWindow) =>
      Object.fromEntries(
        counts(window)
          .ports.top(100)
          .listed.map(({ key, count }) => [key, count]),
      ),
    placeOf(window: AttackWindow, city: string) {
      const { counts, isNewPlace } = attacks.read(window);
      const place = counts.places.top(1000).listed.find(({ label }) => label.city === city);
      return place && { count: place.count, isNew: isNewPlace(place.key) };
    },
  };
}

describe("a window", () => {
  test("includes an event that was just sampled", () => {
    const { note, ports } = rollups();
    note({ port: 22 });
    for (const window of windows) expect(ports(window)).toEqual({ 22: 1 });
  });

  for (const [window, inside, outside] of [
    ["5m", 5 * minute, 6 * minute],
    ["1h", 60 * minute, 65 * minute],
    ["24h", 24 * hour, 25 * hour],
  ] as const)
    test(`of ${window} includes events of its length, and excludes them one slice later`, () => {
      const { note, ports, clock } = rollups();
      clock.advance(2 * hour);
      note({ port: 22 });
      clock.advance(inside);
      expect(ports(window)).toEqual({ 22: 1 });
      clock.advance(outside - inside);
      expect(ports(window)).toEqual({});
    });

  test("begins at the start of Loom if that is later", () => {
    const { attacks, clock, beganAt } = rollups();
    clock.advance(2 * minute);
    for (const window of windows) expect(attacks.read(window).sinceAt).toBe(beganAt);
  });

  for (const [window, least, most] of [
    ["5m", 5 * minute, 6 * minute],
    ["1h", hour, 65 * minute],
    ["24h", 24 * hour, 25 * hour],
  ] as const)
    test(`of ${window} covers its length, and at most one slice more`, () => {
      const { attacks, clock } = rollups();
      for (let i = 0; i < 200; i++) {
        clock.advance(17 * minute + 3000);
        if (i < 100) continue;
        const reach = clock.now() - attacks.read(window).sinceAt;
        expect(reach).toBeGreaterThanOrEqual(least);
        expect(reach).toBeLessThanOrEqual(most);
      }
    });

  test("has every event since it begins, and no earlier one", () => {
    const { note, attacks, clock } = rollups();
    const random = createRandom(5);
    const times: number[] = [];
    for (let i = 0; i < 5000; i++) {
      clock.advance(random.below(90_000));
      note({ port: 22 });
      times.push(clock.now());
      if (i % 50 !== 0) continue;
      for (const window of windows) {
        const { sinceAt, counts } = attacks.read(window);
        expect([window, counts.sampled]).toEqual([window, times.filter((at) => at >= sinceAt).length]);
      }
    }
  });

  test("does not change if the wall clock is set", () => {
    const { note, ports, clock, attacks } = rollups();
    note({ port: 22 });
    clock.advance(2 * minute);
    clock.setWall(clock.now() - 300 * hour);
    note({ port: 23 });
    expect(ports("5m")).toEqual({ 22: 1, 23: 1 });
    expect(attacks.read("5m").sinceAt).toBe(clock.now() - 2 * minute);
  });

  test("is empty after days without an event", () => {
    const { note, counts, clock } = rollups();
    note({ port: 22 });
    clock.advance(100 * hour);
    for (const window of windows) expect(counts(window).sampled).toBe(0);
  });
});

describe("the sums", () => {
  test("of events kept include those that were not sampled", () => {
    const { note, counts } = rollups();
    note({ number: 1 });
    note({ number: 7 });
    note({ number: 8 });
    expect(counts("5m")).toMatchObject({ kept: 8, sampled: 3 });
  });

  test("of each field equal the number of sampled events", () => {
    const { note, counts, clock } = rollups();
    const random = createRandom(3);
    const some = <Value>(make: (n: number) => Value) =>
      random.below(4) === 0 ? undefined : make(random.below(3000));
    for (let i = 0; i < 30_000; i++) {
      if (i % 100 === 0) clock.advance(random.below(20 * minute));
      note({
        port: some((n) => n),
        countryIsoCode: some((n) => `${n}`),
        asNumber: some((n) => n),
        address: some((n) => `2001:db8::${n}`),
        path: some((n) => `/${n}`),
        userAgent: some((n) => `agent ${n}`),
        ja4: some((n) => `t${n}`),
        hassh: some((n) => `h${n}`),
        location: some((n) => ({ lat: n / 100, lon: 3 })),
      });
    }
    for (const window of windows) {
      const { sampled, kept: _, ...rest } = counts(window);
      for (const [name, field] of Object.entries(rest)) {
        const { listed, other } = field.top(50);
        const sum = listed.reduce((total: number, { count }) => total + count, other) + field.none;
        expect([window, name, sum]).toEqual([window, name, sampled]);
      }
    }
  }, 60_000);
});

describe("a field", () => {
  test("has the names of its values", () => {
    const { note, counts } = rollups();
    note({ countryIsoCode: "SE", countryName: "Sweden", asNumber: 1221, asOrganizationName: "Telstra" });
    expect(counts("5m").countries.top(1).listed).toEqual([{ key: "SE", count: 1, label: "Sweden" }]);
    expect(counts("5m").networks.top(1).listed).toEqual([{ key: 1221, count: 1, label: "Telstra" }]);
  });

  test("of long text is cut, and no surrogate pair is split", () => {
    const { note, counts } = rollups();
    note({ path: `/${"𝄞".repeat(120)}`, userAgent: "x".repeat(256) });
    const key = String(counts("5m").paths.top(1).listed[0]?.key);
    expect(key.length).toBeLessThanOrEqual(200);
    expect(key.isWellFormed()).toBe(true);
    expect(counts("5m").userAgents.top(1).listed[0]?.key).toBe("x".repeat(200));
  });

  test("of fingerprints has their kind, and counts one for each event", () => {
    const { note, counts } = rollups();
    note({ ja4: "a", ja4h: "b" });
    note({ ja4h: "b" });
    note({ hassh: "c" });
    note();
    const { listed, other } = counts("5m").fingerprints.top(10);
    expect(listed.map(({ key }) => key)).toEqual(["ja4:a", "ja4h:b", "hassh:c"]);
    expect([other, counts("5m").fingerprints.none]).toEqual([0, 1]);
  });
});

describe("a place", () => {
  const berlin = { location: { lat: 52.52, lon: 13.4 }, cityName: "Berlin", countryIsoCode: "DE" };
  const oslo = { location: { lat: 59.91, lon: 10.75 }, cityName: "Oslo", countryIsoCode: "NO" };

  test("is a location to a hundredth of a degree", () => {
    const { note, counts } = rollups();
    note(berlin);
    note({ ...berlin, location: { lat: 52.5201, lon: 13.4001 } });
    expect(counts("5m").places.top(10).listed).toEqual([
      expect.objectContaining({
        count: 2,
        label: { location: berlin.location, city: "Berlin", countryIsoCode: "DE" },
      }),
    ]);
  });

  test("is a country if no location is known, and absent if neither is known", () => {
    const { note, counts } = rollups();
    note({ countryIsoCode: "SE", cityName: "Stockholm" });
    note({ cityName: "Nowhere" });
    const { places } = counts("5m");
    expect(places.top(10).listed).toEqual([
      { key: "SE", count: 1, label: { location: undefined, city: undefined, countryIsoCode: "SE" } },
    ]);
    expect(places.none).toBe(1);
  });

  test("at the edges of the world is separate from all others", () => {
    const { note, counts } = rollups();
    for (const lat of [-90, 0, 90]) for (const lon of [-180, 0, 180]) note({ location: { lat, lon } });
    expect(counts("5m").places.top(20).listed).toHaveLength(9);
  });

  test("is not new right after the start of Loom", () => {
    const { note, placeOf, clock } = rollups();
    note(berlin);
    clock.advance(minute);
    for (const window of windows) expect(placeOf(window, "Berlin")?.isNew).toBe(false);
  });

  test("is new for a minute or two after its first event", () => {
    const { note, placeOf, clock } = rollups();
    note(berlin);
    clock.advance(10.5 * minute);
    note(berlin);
    note(oslo);
    // In the window of 5 minutes both places are new; in the longer windows one of them was seen before.
    expect(placeOf("5m", "Berlin")).toEqual({ count: 1, isNew: true });
    for (const window of ["1h", "24h"] as const) {
      expect(placeOf(window, "Berlin")).toEqual({ count: 2, isNew: false });
      expect(placeOf(window, "Oslo")).toEqual({ count: 1, isNew: true });
    }
    clock.advance(minute);
    expect(placeOf("24h", "Oslo")?.isNew).toBe(true);
    clock.advance(minute);
    expect(placeOf("24h", "Oslo")?.isNew).toBe(false);
    expect(placeOf("1h", "Oslo")?.isNew).toBe(false);
  });
});

test("a day of events that are all different takes about 20 MB", () => {
  const { note, clock, counts } = rollups();
  const heapBytes = () => {
    Bun.gc(true);
    return heapStats().heapSize + heapStats().extraMemorySize;
  };
  const random = createRandom(9);
  const digits = () => String(1_000_000_000 + random.below(1_000_000_000));
  const text = (length: number) => digits() + "𝄞".repeat(length / 2 - 5);
  const before = heapBytes();
  for (let slice = 0; slice < 26 * 12; slice++) {
    for (let i = 0; i < 250; i++)
      note({
        countryIsoCode: String.fromCharCode(65 + random.below(26), 65 + random.below(26)),
        countryName: text(128),
        cityName: text(128),
        location: { lat: random.below(90), lon: random.below(18_000) / 100 },
        asNumber: random.below(2 ** 31),
        asOrganizationName: text(128),
        address: `2001:db8:1111:2222:3333:4444:${digits()}`,
        port: random.below(65_536),
        path: text(256),
        userAgent: text(256),
        ja4: text(128),
      });
    clock.advance(5 * minute);
  }
  expect(counts("24h").paths.size).toBeGreaterThan(1000);
  expect(heapBytes() - before).toBeLessThan(30_000_000);
}, 60_000);
