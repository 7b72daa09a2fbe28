import { expect, test } from "bun:test";
import { barsPath, selectedTimes } from "../../../ui/models/histogram.ts";

const histogram = { from: 1_000, intervalMs: 100, counts: [0, 4, 8, 1] };

test("a bar is as high as its share of the highest one, and an interval without events has none", () => {
  expect(barsPath(histogram.counts, 8)).toBe(
    "M1.1 100V50.0h.8V100zM2.1 100V0.0h.8V100zM3.1 100V87.5h.8V100z",
  );
});

test("a single event among many can still be seen", () => {
  expect(barsPath([1, 100_000], 100_000)).toStartWith("M0.1 100V98.0");
});

test("a histogram without events has no bars", () => {
  expect(barsPath([0, 0], 0)).toBe("");
});

test("a selection is the whole intervals that it touches, in either direction", () => {
  expect(selectedTimes(histogram, { start: 0.3, end: 0.7 })).toEqual({ from: 1_100, to: 1_300 });
  expect(selectedTimes(histogram, { start: 0.7, end: 0.3 })).toEqual({ from: 1_100, to: 1_300 });
  expect(selectedTimes(histogram, { start: 0, end: 1 })).toEqual({ from: 1_000, to: 1_400 });
});

test("a click is not a selection", () => {
  expect(selectedTimes(histogram, { start: 0.5, end: 0.501 })).toBeUndefined();
});
