import { describe, expect, test } from "bun:test";
import {
  formatAgo,
  formatClock,
  formatExact,
  formatExactClock,
  formatUntil,
  formatZone,
  wholeSeconds,
} from "../../../ui/format/times.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

describe("a time in the past", () => {
  test("is written in one unit", () => {
    const ages = [2_000, 59_000, 14 * minute, 5 * 60 * minute, 3 * day];
    expect(ages.map((ms) => formatAgo(0, ms))).toEqual([
      "2 s ago",
      "59 s ago",
      "14 min ago",
      "5 h ago",
      "3 d ago",
    ]);
  });

  test("is rounded down to whole seconds, so that it never shows tenths while it ticks", () => {
    expect([2_999, 9_400, 12_345].map((ms) => formatAgo(0, ms))).toEqual(["2 s ago", "9 s ago", "12 s ago"]);
  });

  test("is now below 2 s", () => {
    expect([0, 1_000, 1_999].map((ms) => formatAgo(0, ms))).toEqual(["now", "now", "now"]);
  });

  test("is now when a wrong clock puts it into the future", () => {
    expect(formatAgo(10_000, 8_000)).toBe("now");
  });
});

describe("a time in the future", () => {
  test("is written in one unit, rounded down to whole seconds", () => {
    expect([1_000, 9_999, 90_000].map((ms) => formatUntil(ms, 0))).toEqual(["in 1 s", "in 9 s", "in 90 s"]);
  });

  test("is now below 1 s and after it has passed", () => {
    expect([formatUntil(999, 0), formatUntil(0, 8_000)]).toEqual(["now", "now"]);
  });
});

test("seconds are rounded down", () => {
  expect([0, 999, 1_000, 1_999].map(wholeSeconds)).toEqual([0, 0, 1_000, 1_000]);
});

test("a time of day has two digits for the hour, and an exact time has the date and the zone", () => {
  const at = new Date(2026, 10, 24, 4, 3, 1).getTime();
  expect(formatClock(at)).toBe("04:03:01");
  expect(formatExact(at)).toMatch(/^24 Nov 2026,? 04:03:01 \S+/);
});

test("an exact time of day has milliseconds", () => {
  expect(formatExactClock(new Date(2026, 10, 24, 4, 3, 1, 42).getTime())).toBe("04:03:01.042");
});

test("the zone is the one of the exact time", () => {
  const at = new Date(2026, 10, 24).getTime();
  expect(formatZone(at)).not.toBe("");
  expect(formatExact(at)).toEndWith(formatZone(at));
});
