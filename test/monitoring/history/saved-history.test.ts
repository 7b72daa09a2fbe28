import { describe, expect, test } from "bun:test";
import { Chronicle } from "../../../server/monitoring/history/chronicle.ts";
import { Timeline } from "../../../server/monitoring/history/timeline.ts";
import { createRandom } from "../../support/random.ts";
import { MemoryState } from "../../support/saved-state.ts";
import { createWoundClock } from "../../support/wound-clock.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A Loom that counts events and can be restarted. */
class Restartable {
  readonly clock = createWoundClock(1_800_000_000_000 - (1_800_000_000_000 % day));
  readonly state = new MemoryState();
  chronicle = new Chronicle({ clock: this.clock });
  timeline = new Timeline(this.chronicle);
  total = 0;
  events = this.timeline.track("events", () => this.total);

  pass(ms: number, eventsEachStep = 0): void {
    for (let passed = 0; passed < ms; passed += 10 * second) {
      this.total += eventsEachStep;
      this.clock.advance(Math.min(10 * second, ms - passed));
      this.timeline.sample();
    }
  }

  save(): void {
    this.state.save(this.chronicle, this.timeline);
  }

  /** Starts again after a pause, with what was saved last. */
  restart(pauseMs: number): void {
    this.clock.advance(pauseMs);
    const saved = this.state.saved();
    this.chronicle = new Chronicle({ clock: this.clock, saved });
    this.timeline = new Timeline(this.chronicle, () => {}, saved);
    this.total = 0;
    this.events = this.timeline.track("events", () => this.total);
  }
}

const sum = (values: readonly (number | null)[]) =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);
const levels = ["lastHour", "lastDay", "lastMonth", "lastYear"] as const;

describe("after a restart", () => {
  test("the steps before it are known, those of the pause are null, and the step of the stop has what was counted", () => {
    const loom = new Restartable();
    loom.pass(30 * second, 7);
    loom.total += 5;
    loom.clock.advance(2 * second);
    loom.save();
    loom.restart(38 * second);
    loom.pass(20 * second, 4);
    expect(loom.events.lastHour().values.slice(-10)).toEqual([null, 7, 7, 7, 5, null, null, null, 4, 4]);
  });

  test("within the same step, the step has the events before and after it", () => {
    const loom = new Restartable();
    loom.pass(10 * second, 1);
    loom.total += 3;
    loom.clock.advance(4 * second);
    loom.save();
    loom.restart(second);
    loom.total += 2;
    loom.clock.advance(5 * second);
    expect(loom.events.lastHour().values.slice(-2)).toEqual([1, 5]);
  });

  test("every series has the pause", () => {
    const loom = new Restartable();
    loom.pass(minute, 1);
    loom.save();
    const stoppedAt = loom.clock.now();
    loom.restart(3 * minute);
    loom.pass(10 * second);
    const pause = { fromAt: stoppedAt, toAt: stoppedAt + 3 * minute };
    for (const level of levels) expect(loom.events[level]().pauses).toEqual([pause]);
  });

  test("a rate is over the time that Loom ran", () => {
    const loom = new Restartable();
    loom.pass(minute, 20);
    loom.save();
    loom.restart(40 * second);
    loom.pass(10 * second, 20);
    expect(loom.events.perSecond(minute)).toBeCloseTo(2, 10);
    expect(loom.events.countOver(minute)).toBeCloseTo(40, 10);
  });

  test("a pause of hours loses nothing of the longer steps that were not over", () => {
    const loom = new Restartable();
    loom.pass(25 * hour + 17 * minute + 30 * second, 1);
    loom.total += 4;
    loom.save();
    loom.restart(3 * hour);
    loom.pass(hour);
    expect(sum(loom.events.lastMonth().values)).toBe(25 * 360 + 17 * 6 + 3 + 4);
    // The day that is not over is not shown.
    expect(loom.events.lastYear().values.slice(-2)).toEqual([null, 24 * 360]);
    // The hour of the stop, two hours of the pause, and the hour in which Loom was started.
    expect(loom.events.lastMonth().values.slice(-4)).toEqual([109, null, null, 0]);
  });

  test("a clock that went back counts as no pause", () => {
    const loom = new Restartable();
    loom.pass(minute, 6);
    loom.save();
    loom.clock.setWall(loom.clock.now() - day);
    loom.restart(0);
    loom.pass(10 * second, 9);
    expect(loom.events.lastHour().values.slice(-7)).toEqual([6, 6, 6, 6, 6, 6, 9]);
    expect(loom.events.lastHour().startAt).toBe(loom.clock.now() - hour);
  });

  test("a clock that went years ahead leaves no old step", () => {
    const loom = new Restartable();
    loom.pass(minute, 6);
    loom.save();
    loom.restart(3 * 366 * day);
    loom.pass(20 * second, 9);
    for (const level of levels.slice(1)) expect(sum(loom.events[level]().values)).toBe(0);
    expect(sum(loom.events.lastHour().values)).toBe(18);
  });

  test("a counter with another name begins with nothing", () => {
    const loom = new Restartable();
    loom.pass(minute, 6);
    loom.save();
    loom.restart(second);
    expect(sum(loom.timeline.track("other", () => 0).lastHour().values)).toBe(0);
  });

  test("damaged steps are missing, and the others are known", () => {
    const loom = new Restartable();
    loom.pass(10 * minute, 6);
    loom.save();
    loom.state.damage("steps 10s", "{");
    loom.restart(0);
    expect(sum(loom.events.lastHour().values)).toBe(0);
    expect(sum(loom.events.lastDay().values)).toBe(360);
  });

  test("impossible times of the chronicle begin a new one", () => {
    const loom = new Restartable();
    loom.pass(minute, 6);
    loom.save();
    loom.state.damage("chronicle", '{"firstMs":0,"elapsedMs":null,"savedAt":1,"pauses":[]}');
    const saved = loom.state.saved();
    expect(new Chronicle({ clock: loom.clock, saved }).elapsedMs).toBe(0);
    expect(saved.damaged).toBe(1);
  });
});

test("after many restarts at random times, every level has every event once", () => {
  const loom = new Restartable();
  const random = createRandom(11);
  let counted = 0;
  for (let run = 0; run < 60; run++) {
    for (let step = random.below(200); step > 0; step--) {
      const events = random.below(50);
      loom.total += events;
      counted += events;
      loom.clock.advance(random.below(15_000));
      if (random.below(3) === 0) loom.timeline.sample();
      if (random.below(5) === 0) loom.save();
    }
    loom.save();
    loom.restart(random.below(run % 10 === 0 ? 7_200_000 : 90_000));
  }
  // Whole days, so that no step of any level is left that is not over.
  loom.pass(2 * day);
  expect(sum(loom.events.lastMonth().values)).toBe(counted);
  expect(sum(loom.events.lastYear().values)).toBe(counted);
  loom.save();
  loom.restart(0);
  expect(sum(loom.events.lastYear().values)).toBe(counted);
});

test("as many steps are saved as are shown, and one more at most", () => {
  const loom = new Restartable();
  loom.pass(32 * day, 1);
  loom.save();
  loom.pass(2 * hour, 1);
  loom.save();
  for (const [kind, steps] of [
    ["steps 10s", 360],
    ["steps 5m", 288],
    ["steps 1h", 31 * 24],
    ["steps 1d", 32],
  ] as const) {
    expect(loom.state.count(kind)).toBeLessThanOrEqual(steps + 1);
    expect(loom.state.count(kind)).toBeGreaterThanOrEqual(Math.min(steps, 32));
  }
});

test("the pauses of more than 256 restarts are forgotten, the oldest first", () => {
  const loom = new Restartable();
  for (let i = 0; i < 300; i++) {
    loom.pass(second);
    loom.save();
    loom.restart(second);
  }
  loom.pass(10 * second);
  expect(loom.events.lastHour().pauses).toHaveLength(256);
});

test("steps of a day are those of UTC", () => {
  const clock = createWoundClock();
  const chronicle = new Chronicle({ clock, firstMs: clock.now() % day });
  const history = new Timeline(chronicle).track("events", () => 0);
  for (const level of ["lastMonth", "lastYear"] as const) {
    const { startAt, stepMs } = history[level]();
    expect(startAt % stepMs).toBe(0);
  }
});
