import { describe, expect, test } from "bun:test";
import { TopCounts } from "../../../server/monitoring/rollups/top-counts.ts";
import { createRandom } from "../../support/random.ts";

function counted(keys: readonly (string | number)[], maxKeys = 10): TopCounts<undefined> {
  const counts = new TopCounts<undefined>(maxKeys);
  for (const key of keys) if (!counts.increment(key)) counts.add(key, undefined);
  return counts;
}

const pairs = (counts: TopCounts<undefined>, maxListed = 100) =>
  counts.top(maxListed).listed.map(({ key, count }) => [key, count]);
const sum = (counts: TopCounts<undefined>, maxListed = 100) => {
  const { listed, other } = counts.top(maxListed);
  return listed.reduce((total, { count }) => total + count, other) + counts.none;
};

test("the most frequent values are listed first", () => {
  expect(pairs(counted([22, 80, 22, "a", 22, 80]))).toEqual([
    [22, 3],
    [80, 2],
    ["a", 1],
  ]);
});

test("a number and its text are two values", () => {
  expect(pairs(counted([22, "22"]))).toHaveLength(2);
});

test("values that are not listed count as others", () => {
  const counts = counted([1, 1, 1, 2, 2, 3]);
  expect(counts.top(1)).toEqual({ listed: [{ key: 1, count: 3, label: undefined }], other: 3 });
});

test("names of properties of Object are ordinary values", () => {
  expect(pairs(counted(["__proto__", "constructor", "__proto__"]))).toEqual([
    ["__proto__", 2],
    ["constructor", 1],
  ]);
});

describe("more values", () => {
  test("than allowed: the most frequent ones keep their exact counts", () => {
    const counts = new TopCounts<undefined>(10);
    for (let i = 0; i < 10_000; i++)
      for (const key of [i % 2 === 0 ? "often" : "seldom", `once ${i}`])
        if (!counts.increment(key)) counts.add(key, undefined);
    expect(pairs(counts, 2)).toEqual([
      ["often", 5000],
      ["seldom", 5000],
    ]);
    expect(counts.size).toBeLessThan(20);
  });

  test("than allowed with the same frequency are pruned to the limit", () => {
    const counts = counted(Array.from({ length: 15 }, (_, i) => i));
    counts.prune();
    expect(counts.size).toBe(10);
    expect(counts.other).toBe(5);
  });

  test("than allowed still add up", () => {
    const random = createRandom(11);
    const counts = new TopCounts<undefined>(10);
    for (let i = 1; i <= 5000; i++) {
      const key = random.below(3) === 0 ? undefined : random.below(1 + random.below(200));
      if (key === undefined) counts.addNone();
      else if (!counts.increment(key)) counts.add(key, undefined);
      if (i % 500 === 0) expect(sum(counts, 5)).toBe(i);
    }
  });
});

test("merged counts add up, with others and absent values", () => {
  const sums = counted([1, 1, 2]);
  sums.addNone();
  const more = counted(
    Array.from({ length: 100 }, (_, i) => i),
    5,
  );
  more.addNone();
  sums.merge(more);
  expect(sum(sums)).toBe(105);
  expect(sums.none).toBe(2);
});
