import { expect, test } from "bun:test";
import { Slices, type TimeRange } from "../../../../server/outputs/clickhouse/history/slices.ts";

const dayMs = 86_400_000;
const whole = { from: 5, to: 30 * dayMs };

/** Every slice, if each takes so long. */
function slicesOf(range: TimeRange, isFromEnd: boolean, tookMs: number, remainingMs = 5000): TimeRange[] {
  const slices = new Slices(range, isFromEnd);
  const all: TimeRange[] = [];
  for (let slice = slices.next(); slice; slice = slices.next()) {
    all.push(slice);
    slices.done(slice, tookMs, remainingMs);
  }
  expect([slices.rest, slices.share]).toEqual([undefined, 1]);
  return all;
}

for (const tookMs of [1, 100, 2000])
  test(`slices that take ${tookMs} ms cover the range without gaps, from its end and from its beginning`, () => {
    const fromEnd = slicesOf({ from: 5, to: dayMs }, true, tookMs);
    expect(fromEnd[0]?.to).toBe(dayMs);
    expect(fromEnd.at(-1)?.from).toBe(5);
    expect(fromEnd.slice(1).map(({ to }) => to)).toEqual(fromEnd.slice(0, -1).map(({ from }) => from));
    const fromStart = slicesOf({ from: 5, to: dayMs }, false, tookMs);
    expect([fromStart[0]?.from, fromStart.at(-1)?.to]).toEqual([5, dayMs]);
    expect(fromStart.slice(1).map(({ from }) => from)).toEqual(fromStart.slice(0, -1).map(({ to }) => to));
  });

test("fast slices widen until the rest is searched at once", () => {
  expect(slicesOf(whole, true, 10).length).toBe(4);
});

test("slow slices become shorter", () => {
  const slices = new Slices(whole, true);
  const first = slices.next() ?? whole;
  slices.done(first, 2000, 3000);
  const second = slices.next() ?? whole;
  expect(second.to - second.from).toBeLessThan(first.to - first.from);
});

test("an empty range has no slices", () => {
  expect(slicesOf({ from: 7, to: 7 }, true, 1)).toEqual([]);
  expect(new Slices({ from: 9, to: 7 }, true).next()).toBeUndefined();
});
