import { expect, test } from "bun:test";
import { SamplingBudget } from "../../../server/monitoring/sampling/sampling-budget.ts";

const eventBytes = 1_000;
const limits = { eventsPerSecond: 10_000, bytesPerSecond: 16_000_000 };

/** Offers batches at a constant rate, beginning with a full budget, and takes as much as is allowed. */
function offered(
  eventsPerSecond: number,
  { seconds = 20, batch = 50, bytes = eventBytes }: { seconds?: number; batch?: number; bytes?: number } = {},
) {
  let now = 0;
  const budget = new SamplingBudget(limits, () => now);
  const takenBySecond = Array.from({ length: seconds }, () => 0);
  const allowances: number[] = [];
  const gapMs = (1000 * batch) / eventsPerSecond;
  for (; now < seconds * 1000; now += gapMs) {
    const allowed = budget.allowance(batch, batch * bytes);
    budget.charge(allowed, allowed * bytes);
    allowances.push(allowed);
    const second = Math.floor(now / 1000);
    takenBySecond[second] = (takenBySecond[second] ?? 0) + allowed;
  }
  return { allowances, takenBySecond, last: takenBySecond.at(-1) ?? 0 };
}

test("a load within the limits is sampled completely", () => {
  const { allowances } = offered(9_500);
  expect(new Set(allowances)).toEqual(new Set([50]));
});

test("a burst of one second's allowance is sampled completely", () => {
  const budget = new SamplingBudget(limits, () => 0);
  expect(budget.allowance(10_000, 10_000 * eventBytes)).toBe(10_000);
});

test("the budget of a burst is restored after a second", () => {
  let now = 0;
  const budget = new SamplingBudget(limits, () => now);
  budget.charge(10_000, 0);
  expect(budget.allowance(100, 100 * eventBytes)).toBe(0);
  now = 500;
  expect(budget.allowance(6_000, 6_000 * eventBytes)).toBe(5_000);
  now = 60_000;
  expect(budget.allowance(20_000, 20_000 * 100)).toBe(10_000);
});

test("the further the load exceeds the limits, the less is sampled", () => {
  expect(offered(20_000).last).toBeWithin(4_500, 5_500);
  expect(offered(40_000, { batch: 500 }).last).toBeWithin(2_200, 2_800);
  expect(offered(400_000, { batch: 500 }).last).toBeWithin(900, 1_100);
  expect(offered(4_000_000, { batch: 500 }).last).toBeWithin(900, 1_100);
});

test("of a large batch at least 64 events or none are sampled, so that its lines are not searched for a few", () => {
  const { allowances } = offered(400_000, { batch: 500 });
  const few = allowances.filter((allowed) => allowed > 0 && allowed < 64);
  expect(few).toEqual([]);
});

test("events of 128 KiB are limited by their bytes", () => {
  const taken = offered(5_000, { batch: 10, bytes: 131_072 }).last * 131_072;
  expect(taken).toBeWithin(1_000_000, 4_000_000);
});

test("the largest events are sampled too, one after the other", () => {
  const { allowances } = offered(10, { batch: 1, bytes: 40_000_000 });
  expect(Math.max(...allowances)).toBe(1);
  expect(allowances.filter((allowed) => allowed > 0).length).toBeLessThan(allowances.length);
});

test("a clock that stands still or goes back adds nothing and breaks nothing", () => {
  let now = 1_000;
  const budget = new SamplingBudget(limits, () => now);
  budget.charge(10_000, 16_000_000);
  expect(budget.allowance(50, 50 * eventBytes)).toBe(0);
  now = 0;
  expect(budget.allowance(50, 50 * eventBytes)).toBe(0);
  now = 10_000;
  expect(budget.allowance(50, 50 * eventBytes)).toBe(50);
});
