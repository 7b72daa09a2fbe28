import { describe, expect, test } from "bun:test";
import { chartData, isEmpty, readoutAt, summaryOf, timeLabels } from "../../../ui/format/series.ts";

const write = (value: number) => `${value}/s`;

describe("a chart's data", () => {
  test("has a time in seconds for each value", () => {
    const values = Array<number>(40).fill(1);
    const [times, drawn] = chartData({ startAt: 60_000, stepMs: 10_000, values, pauses: [] });
    expect(times.slice(0, 3)).toEqual([60, 70, 80]);
    expect(drawn).toEqual(values);
  });

  test("leaves out the steps before Loom's start", () => {
    const values = [...Array<null>(10).fill(null), ...Array<number>(40).fill(2)];
    const [times, drawn] = chartData({ startAt: 0, stepMs: 1_000, values, pauses: [] });
    expect([times[0], drawn.length, drawn[0]]).toEqual([10, 40, 2]);
  });

  test("has at least 30 steps", () => {
    const values = [...Array<null>(100).fill(null), 1, 2];
    const [times, drawn] = chartData({ startAt: 0, stepMs: 1_000, values, pauses: [] });
    expect([times[0], drawn.length]).toEqual([72, 30]);
  });

  test("has all steps if there are fewer than 30", () => {
    expect(chartData({ startAt: 0, stepMs: 1_000, values: [null, 1], pauses: [] })).toEqual([
      [0, 1],
      [null, 1],
    ]);
  });
});

describe("the readout", () => {
  test("is the time and the value at the pointer", () => {
    expect(readoutAt([[0], [3]], 0, write)).toMatch(/^\d\d:\d\d:\d\d {2}3\/s$/);
  });

  test("says that there is no data in a gap", () => {
    expect(readoutAt([[0], [null]], 0, write)).toEndWith("no data");
  });

  test("is empty outside of the data", () => {
    expect([readoutAt([[0], [3]], undefined, write), readoutAt([[0], [3]], 1, write)]).toEqual(["", ""]);
  });
});

describe("the summary for screen readers", () => {
  test("has the latest, the highest and the lowest value", () => {
    expect(summaryOf({ startAt: 0, stepMs: 1, values: [null, 4, 9, 2, 5, null], pauses: [] }, write)).toBe(
      "Latest 5/s, highest 9/s, lowest 2/s.",
    );
  });

  test("says that there is no data yet", () => {
    expect(summaryOf({ startAt: 0, stepMs: 1, values: [null], pauses: [] }, write)).toBe("No data yet.");
  });
});

describe("the labels of the time axis", () => {
  test("have minutes", () => {
    expect(timeLabels([600, 660, 720]).map((label) => label.length)).toEqual([5, 5, 5]);
  });

  test("have seconds if they are less than a minute apart, so that no two are equal", () => {
    const labels = timeLabels([600, 630, 660]);
    expect(new Set(labels).size).toBe(3);
    expect(labels.map((label) => label.slice(-3))).toEqual([":00", ":30", ":00"]);
  });

  test("have minutes for a single time, and are none without times", () => {
    expect([timeLabels([600])[0]?.length, timeLabels([])]).toEqual([5, []]);
  });
});

test("a series is empty if no value is known", () => {
  const series = { startAt: 0, stepMs: 1, pauses: [] };
  expect(isEmpty({ ...series, values: [null, null] })).toBe(true);
  expect(isEmpty({ ...series, values: [null, 0] })).toBe(false);
});
