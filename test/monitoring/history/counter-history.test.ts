import { describe, expect, test } from "bun:test";
import { shareOf } from "../../../server/monitoring/history/counter-history.ts";
import { Timeline } from "../../../server/monitoring/history/timeline.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** A counter whose timeline begins at 0 s of the clock. */
function counterFrom(total = 0) {
  const clock = createWoundClock();
  const beganAt = clock.now();
  const timeline = new Timeline(chronicleOf(clock));
  const counter = { total };
  const history = timeline.track("events", () => counter.total);
  return {
    clock,
    beganAt,
    timeline,
    history,
    count: (events: number) => {
      counter.total += events;
    },
    /** Advances the clock by steps of 10 s, with this number of events in each step and a sample at its end. */
    pass(steps: number, eventsEach = 0) {
      for (let i = 0; i < steps; i++) {
        counter.total += eventsEach;
        clock.advance(10 * second);
        timeline.sample();
      }
    },
  };
}

const present = (values: readonly (number | null)[]) => values.filter((value) => value !== null);
const sum = (values: readonly (number | null)[]) =>
  present(values).reduce((total, value) => total + value, 0);

describe("a rate", () => {
  test("is 0 if nothing was counted", () => {
    expect(counterFrom().history.perSecond(minute)).toBe(0);
  });

  test("is over the time since the start if the window is longer", () => {
    const { history, clock, count } = counterFrom();
    count(60);
    clock.advance(20 * second);
    expect(history.perSecond(minute)).toBe(3);
  });

  test("right after the start is over a second", () => {
    const { history, clock, count } = counterFrom();
    count(100);
    clock.advance(10);
    expect(history.perSecond(minute)).toBe(100);
  });

  test("includes growth after the last sample", () => {
    const { history, pass, clock, count } = counterFrom();
    pass(12, 10);
    clock.advance(5 * second);
    count(35);
    // One event a second for 55 s, and 35 events in the last 5 s.
    expect(history.perSecond(minute)).toBeCloseTo((55 + 35) / 60, 10);
  });

  test("excludes growth before its window", () => {
    const { history, pass, count } = counterFrom();
    count(1000);
    pass(1);
    pass(6, 10);
    expect(history.perSecond(minute)).toBe(1);
    expect(history.perSecond(5 * minute)).toBeCloseTo(1060 / 70, 10);
  });

  test("counts a proportional part of a step that began before its window", () => {
    const { history, pass, clock, count } = counterFrom();
    count(100);
    pass(1);
    pass(5, 0);
    clock.advance(2.5 * second);
    expect(history.countOver(minute)).toBe(75);
  });

  test("over less than a step assumes even growth", () => {
    const { history, pass, clock, count } = counterFrom();
    pass(1);
    clock.advance(8 * second);
    count(80);
    expect(history.countOver(2 * second)).toBe(20);
  });

  test("over an hour is right after many hours", () => {
    const { history, pass } = counterFrom();
    pass(1000, 20);
    expect(history.perSecond(hour)).toBe(2);
  });
});

describe("steps", () => {
  test("before the start are null, and the present step is not shown", () => {
    const { history, pass, count, clock, beganAt } = counterFrom();
    pass(3, 7);
    count(5);
    clock.advance(4 * second);
    const { values, stepMs, startAt } = history.lastHour();
    expect(values).toHaveLength(360);
    expect(values.slice(-4)).toEqual([null, 7, 7, 7]);
    expect(startAt + 357 * stepMs).toBe(beganAt);
  });

  test("of a day are five minutes long", () => {
    const { history, pass } = counterFrom();
    pass(61, 2);
    const { values, stepMs } = history.lastDay();
    expect(stepMs).toBe(5 * minute);
    expect(values).toHaveLength(288);
    expect(values.slice(-3)).toEqual([null, 60, 60]);
  });

  test("are overwritten by newer ones, and their sum is the growth in that time", () => {
    const { history, pass } = counterFrom();
    pass(360, 1);
    pass(360, 4);
    expect(history.lastHour().values).toEqual(new Array(360).fill(4));
    pass(360 * 24, 3);
    expect(history.lastDay().values).toEqual(new Array(288).fill(90));
  });

  test("per minute are 60, oldest first, with null before the start", () => {
    const { history, pass } = counterFrom();
    pass(6, 1);
    pass(6, 5);
    const minutes = history.perMinute();
    expect(minutes).toHaveLength(60);
    expect(minutes.slice(-3)).toEqual([null, 6, 30]);
  });

  test("that end between two samples share the growth, and no event is lost or counted twice", () => {
    const { history, clock, count, timeline } = counterFrom();
    clock.advance(15 * second);
    count(10);
    timeline.sample();
    clock.advance(20 * second);
    count(9);
    timeline.sample();
    clock.advance(5 * second);
    timeline.sample();
    const { values } = history.lastHour();
    expect(present(values)).toHaveLength(4);
    expect(sum(values)).toBe(19);
  });

  test("are up to date if the timer is late", () => {
    const { history, clock, count } = counterFrom();
    count(30);
    clock.advance(30 * second);
    expect(present(history.lastHour().values)).toEqual([10, 10, 10]);
  });

  test("do not change if the wall clock is set", () => {
    const { history, pass, clock } = counterFrom();
    pass(3, 7);
    clock.setWall(clock.now() - 24 * hour);
    pass(3, 7);
    clock.setWall(clock.now() + 48 * hour);
    pass(1, 7);
    const { values, startAt } = history.lastHour();
    expect(present(values)).toEqual([7, 7, 7, 7, 7, 7, 7]);
    expect(startAt).toBe(clock.now() - hour);
    expect(history.perSecond(minute)).toBeCloseTo(0.7, 10);
  });

  test("continue after a pause of days", () => {
    const { history, pass, clock, count, timeline } = counterFrom();
    pass(10, 5);
    count(1000);
    clock.advance(72 * hour);
    timeline.sample();
    pass(1, 8);
    const { values } = history.lastHour();
    expect(values.at(-1)).toBe(8);
    expect(Math.max(...present(values))).toBeLessThan(9);
    expect(sum(history.lastDay().values)).toBeLessThanOrEqual(1000);
    pass(360, 2);
    expect(history.countOver(hour)).toBe(720);
  });

  test("hold at most 32 bits", () => {
    const { history, pass } = counterFrom();
    pass(1, 2 ** 40);
    expect(history.lastHour().values.at(-1)).toBe(2 ** 32 - 1);
    expect(history.total).toBe(2 ** 40);
  });
});

describe("a timeline", () => {
  test("has one history for each name", () => {
    const { timeline, history } = counterFrom();
    expect(timeline.track("events", () => 0)).toBe(history);
  });

  test("assumes that a counter added later was 0 until then", () => {
    const { timeline, pass } = counterFrom();
    pass(3);
    const late = timeline.track("late", () => 40);
    pass(1);
    expect(present(late.lastHour().values)).toEqual([0, 0, 0, 40]);
  });

  test("takes about 7 KB for each counter", () => {
    const { timeline } = counterFrom();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1000; i++) timeline.track(`sensor ${i}`, () => i);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(7_500_000);
  });
});

test("a share is null if the whole is 0", () => {
  const series = (...values: (number | null)[]) => ({ startAt: 7, stepMs: 10, values, pauses: [] });
  expect(shareOf(series(null, 0, 1, 4), series(null, 0, 4, 4))).toEqual(series(null, null, 0.25, 1));
});
