import { expect, test } from "bun:test";
import { maxSampledLineBytes, sampleLines } from "../../../server/monitoring/sampling/sampled-lines.ts";
import { batchOf } from "../tail/tails.ts";

const batch = (count: number) => batchOf(Array.from({ length: count }, (_, index) => ({ n: index })));

/** The number and the `n` of each sampled line. */
function take(eventCount: number, wantedCount: number, firstNumber = 1) {
  const { lines, numbers } = sampleLines(batch(eventCount).lines, eventCount, wantedCount, firstNumber);
  const texts = lines.toString().split("\n");
  expect(texts.pop()).toBe("");
  return texts.map((text, index) => ({ number: numbers[index], n: JSON.parse(text).n as number }));
}

test("all lines of a batch are sampled, each with its number", () => {
  expect(take(3, 3, 10)).toEqual([
    { number: 10, n: 0 },
    { number: 11, n: 1 },
    { number: 12, n: 2 },
  ]);
});

test("the requested number of lines is sampled, whatever the offset, each with its number", () => {
  for (let run = 0; run < 500; run++) {
    const eventCount = 1 + (run % 60);
    const wanted = 1 + (run % eventCount);
    const taken = take(eventCount, wanted);
    expect(taken).toHaveLength(wanted);
    expect(taken.every(({ number, n }) => number === n + 1)).toBe(true);
    expect(new Set(taken.map(({ n }) => n)).size).toBe(wanted);
  }
});

test("sampled lines are spread evenly over the batch", () => {
  for (let run = 0; run < 50; run++) {
    const ns = take(500, 10).map(({ n }) => n);
    expect(ns.map((n) => Math.floor(n / 50))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
});

test("every line of a batch can be sampled", () => {
  const seen = new Set(Array.from({ length: 500 }, () => take(10, 2).map(({ n }) => n)).flat());
  expect(seen.size).toBe(10);
});

test("the copy does not change with the batch's memory", () => {
  const { lines } = batch(2);
  const taken = sampleLines(lines, 2, 2, 1);
  lines.fill(0);
  expect(taken.lines.toString()).toBe('{"n":0}\n{"n":1}\n');
});

test("a line that is too large is not sampled, and its neighbours are", () => {
  const large = { n: "x".repeat(maxSampledLineBytes) };
  const { lines, eventCount } = batchOf([{ n: 1 }, large, { n: 3 }]);
  const taken = sampleLines(lines, eventCount, 3, 1);
  expect(taken.numbers).toEqual([1, 3]);
  expect(taken.lines.toString()).toBe('{"n":1}\n{"n":3}\n');
});
