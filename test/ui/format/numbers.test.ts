import { describe, expect, test } from "bun:test";
import {
  formatBytes,
  formatRate,
  formatShare,
  formatShortCount,
  formatThings,
} from "../../../ui/format/numbers.ts";

describe("numbers", () => {
  test("a rate has more decimals the smaller it is", () => {
    expect([0, 0.004, 0.04, 12.34, 5210.4].map(formatRate)).toEqual(["0", "<0.01", "0.04", "12.3", "5,210"]);
  });

  test("a share is 100 % or 0 % only if it is exactly that", () => {
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

  test("a short count is exact below 10,000", () => {
    expect([9_999, 12_345, 1_268_450].map(formatShortCount)).toEqual(["9,999", "12.3K", "1.3M"]);
  });

  test("a count of one takes the singular", () => {
    expect([formatThings(1, "event"), formatThings(2, "event")]).toEqual(["1 event", "2 events"]);
  });
});
