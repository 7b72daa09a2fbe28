import { expect, test } from "bun:test";
import { CompactCounts } from "../../../server/monitoring/sensors/compact-counts.ts";
import { createRandom } from "../../support/random.ts";

const sum = (counts: CompactCounts) =>
  counts.held().reduce((total, { count }) => total + count, counts.other + counts.none);

test("numbers have counts, the most frequent first", () => {
  const counts = new CompactCounts();
  for (const number of [22, 80, 22, 0, 4_294_967_295]) counts.add(number);
  expect(counts.held().slice(0, 2)).toEqual([
    { number: 22, count: 2 },
    { number: 80, count: 1 },
  ]);
  expect(counts.held().map(({ number }) => number)).toContain(4_294_967_295);
});

test("a number beyond 32 bits counts as others", () => {
  const counts = new CompactCounts();
  counts.add(2 ** 32);
  counts.add(-1);
  counts.add(undefined);
  expect([counts.held(), counts.other, counts.none]).toEqual([[], 2, 1]);
});

test("too many numbers: the most frequent ones stay, and the sum is right", () => {
  const counts = new CompactCounts();
  const random = createRandom(2);
  for (let i = 0; i < 10_000; i++) counts.add(i % 2 === 0 ? 22 : random.below(65_536));
  expect(counts.held()[0]).toEqual({ number: 22, count: 5000 });
  expect(counts.held().length).toBeLessThanOrEqual(32);
  expect(sum(counts)).toBe(10_000);
});

test("merged counts add up", () => {
  const [some, more] = [new CompactCounts(), new CompactCounts()];
  for (let i = 0; i < 40; i++) some.add(i);
  for (let i = 20; i < 60; i++) more.add(i);
  more.add(undefined);
  some.merge(more);
  expect(sum(some)).toBe(81);
});
