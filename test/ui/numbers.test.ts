import { describe, expect, test } from "bun:test";
import {
  formatBytes,
  formatRate,
  formatShare,
  formatShortCount,
  formatThings,
} from "../../ui/format/numbers.ts";
import { formatAgo, formatDuration, formatUntil } from "../../ui/format/times.ts";

describe("numbers", () => {
  test("a rate has as many digits as say something", () => {
    expect([0, 0.004, 0.04, 12.34, 5210.4].map(formatRate)).toEqual(["0", "<0.01", "0.04", "12.3", "5,210"]);
  });

  test("a share is 100 % or 0 % only when it is so", () => {
    expect([1, 0.99999, 0.973, 0.00001, 0].map(formatShare)).toEqual([
      "100 %",
      ">99.9 %",
      "97.3 %",
      "<0.1 %",
      "0 %",
    ]);
  });

  test("bytes are in binary units", () => {
    expect([0, 1023, 1536, 268_435_456].map(formatBytes)).toEqual(["0 B", "1,023 B", "1.5 KiB", "256 MiB"]);
  });

  test("a short count is exact where there is room", () => {
    expect([9_999, 12_345, 1_268_450].map(formatShortCount)).toEqual(["9,999", "12.3K", "1.3M"]);
  });

  test("one thing is singular", () => {
    expect([formatThings(1, "event"), formatThings(2, "event")]).toEqual(["1 event", "2 events"]);
  });
});

describe("times", () => {
  test("a length of time has one unit", () => {
    const lengths = [999, 59_999, 60_000, 3_599_999, 3_600_000, 172_800_000];
    expect(lengths.map(formatDuration)).toEqual(["0 s", "59 s", "1 min", "59 min", "1 h", "2 d"]);
  });

  test("what lies in the future of a clock that is off is now", () => {
    expect([formatAgo(10_000, 8_000), formatAgo(0, 14_000), formatUntil(0, 8_000)]).toEqual([
      "now",
      "14 s ago",
      "now",
    ]);
  });
});
