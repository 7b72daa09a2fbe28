import { describe, expect, test } from "bun:test";
import { Chronicle } from "../../../server/monitoring/history/chronicle.ts";
import { AttackRollups } from "../../../server/monitoring/rollups/attack-rollups.ts";
import type { AttackWindow } from "../../../server/monitoring/rollups/top-list.ts";
import { createRandom } from "../../support/random.ts";
import { MemoryState } from "../../support/saved-state.ts";
import { createWoundClock } from "../../support/wound-clock.ts";
import { createSampled, type SampledParts } from "../sampled.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const windows: readonly AttackWindow[] = ["5m", "1h", "24h", "7d", "30d"];

class Restartable {
  readonly clock = createWoundClock();
  readonly state = new MemoryState();
  chronicle = new Chronicle({ clock: this.clock });
  attacks = new AttackRollups(this.chronicle);
  #sampled = createSampled();

  note(parts?: SampledParts): void {
    this.attacks.note(this.#sampled(parts));
  }

  save(): void {
    this.state.save(this.chronicle, this.attacks);
  }

  restart(pauseMs: number): void {
    this.clock.advance(pauseMs);
    const saved = this.state.saved();
    this.chronicle = new Chronicle({ clock: this.clock, saved });
    this.attacks = new AttackRollups(this.chronicle, saved);
    this.#sampled = createSampled();
  }

  ports(window: AttackWindow): Record<string, number> {
    const { listed } = this.attacks.read(window).counts.ports.top(100);
    return Object.fromEntries(listed.map(({ key, count }) => [key, count]));
  }
}

describe("after a restart", () => {
  test("every window has the events before it, with the names of their values", () => {
    const loom = new Restartable();
    loom.note({ port: 22, countryIsoCode: "SE", countryName: "Sweden", asNumber: 1221, hassh: "h" });
    loom.note({ port: 23, location: { lat: 1, lon: 2 }, cityName: "Here" });
    loom.save();
    const before = windows.map((window) => loom.attacks.read(window).counts.save());
    loom.restart(10_000);
    expect(windows.map((window) => loom.attacks.read(window).counts.save())).toEqual(before);
    loom.note({ port: 22 });
    for (const window of windows) expect(loom.ports(window)).toEqual({ 22: 2, 23: 1 });
  });

  test("a window begins at the first start, says so, and has the pause", () => {
    const loom = new Restartable();
    const beganAt = loom.clock.now();
    loom.note({ port: 22 });
    loom.clock.advance(2 * minute);
    loom.save();
    const fromAt = loom.clock.now();
    loom.restart(3 * hour);
    loom.note({ port: 23 });
    expect(loom.attacks.read("24h")).toMatchObject({
      sinceAt: beganAt,
      isWhole: false,
      pauses: [{ fromAt, toAt: fromAt + 3 * hour }],
    });
    expect(loom.attacks.read("1h")).toMatchObject({ isWhole: true });
    expect([loom.ports("24h"), loom.ports("1h")]).toEqual([{ 22: 1, 23: 1 }, { 23: 1 }]);
  });

  test("a place that was seen before it is not new", () => {
    const loom = new Restartable();
    loom.note({ location: { lat: 1, lon: 2 } });
    loom.clock.advance(10 * minute);
    loom.save();
    loom.restart(10_000);
    loom.note({ location: { lat: 1, lon: 2 } });
    loom.note({ location: { lat: 8, lon: 8 } });
    const { counts, isNewPlace } = loom.attacks.read("24h");
    const places = counts.places.top(9).listed.map(({ key, count }) => [count, isNewPlace(key)]);
    expect(places).toEqual([
      [2, false],
      [1, true],
    ]);
  });
});

for (const [window, inside, outside] of [
  ["7d", 7 * day, 8 * day],
  ["30d", 30 * day, 31 * day],
] as const)
  test(`the window of ${window} includes events of its length, and excludes them a day later`, () => {
    const loom = new Restartable();
    loom.clock.advance(2 * day);
    loom.note({ port: 22 });
    loom.clock.advance(inside);
    expect(loom.ports(window)).toEqual({ 22: 1 });
    expect(loom.attacks.read(window).isWhole).toBe(true);
    loom.clock.advance(outside - inside);
    expect(loom.ports(window)).toEqual({});
  });

test("with many restarts at random times, each window has every event since it begins", () => {
  const loom = new Restartable();
  const random = createRandom(6);
  const times: number[] = [];
  for (let run = 0; run < 80; run++) {
    for (let i = random.below(120); i > 0; i--) {
      loom.clock.advance(random.below(90_000));
      loom.note({ port: 22 });
      times.push(loom.clock.now());
      if (random.below(4) === 0) loom.save();
    }
    loom.save();
    loom.restart(random.below(run % 7 === 0 ? 2 * hour : minute));
    for (const window of windows) {
      const { sinceAt, counts } = loom.attacks.read(window);
      expect([window, counts.sampled]).toEqual([window, times.filter((at) => at >= sinceAt).length]);
    }
  }
});

test("no more slices are saved than the windows need", () => {
  const loom = new Restartable();
  for (let i = 0; i < 40 * 24 * 4; i++) {
    loom.note({ port: 22 });
    loom.clock.advance(15 * minute);
    if (i % 3 === 0) loom.save();
  }
  loom.save();
  for (const [kind, slices] of [
    ["slices 1m", 6],
    ["slices 5m", 13],
    ["slices 60m", 25],
    ["slices 1440m", 31],
  ] as const)
    expect(loom.state.count(kind)).toBeLessThanOrEqual(slices);
});

test("a slice that did not change is not saved again", () => {
  const loom = new Restartable();
  loom.note({ port: 22 });
  loom.save();
  expect([...loom.attacks.changes()].filter((change) => "key" in change)).toEqual([]);
});
