import { describe, expect, test } from "bun:test";
import { GenerationCache } from "../../server/enrich/generation-cache.ts";

test("never holds more than two generations", () => {
  const cache = new GenerationCache<number>(100);
  for (let i = 0; i < 10_000; i++) {
    cache.set(`key ${i}`, i, 1);
    expect(cache.size).toBeLessThanOrEqual(200);
  }
  expect(cache.get("key 9999", 1)).toBe(9999);
  expect(cache.get("key 0", 1)).toBeUndefined();
});

test("an entry that is read stays, however many others are added", () => {
  const cache = new GenerationCache<string>(100);
  cache.set("popular", "here", 1);
  for (let i = 0; i < 1000; i++) {
    cache.set(`once ${i}`, "x", 1);
    expect(cache.get("popular", 1)).toBe("here");
  }
});

test("an entry that is read from the old map moves to the young one", () => {
  const cache = new GenerationCache<string>(2);
  for (const key of ["a", "b", "c"]) cache.set(key, key, 1);
  expect([cache.get("a", 1), cache.size]).toEqual(["a", 3]);
  cache.set("d", "d", 1);
  expect([cache.get("a", 1), cache.get("b", 1)]).toEqual(["a", undefined]);
});

describe("when the source has another generation", () => {
  const filled = () => {
    const cache = new GenerationCache<string>(2);
    for (const key of ["a", "b", "c"]) cache.set(key, key, 7);
    return cache;
  };

  test("every value is evicted, of both maps", () => {
    const cache = filled();
    expect([cache.get("a", 8), cache.get("c", 8), cache.size]).toEqual([undefined, undefined, 0]);
  });

  test("a value that is stored first evicts the earlier ones", () => {
    const cache = filled();
    cache.set("d", "new", 8);
    expect([cache.get("a", 8), cache.get("c", 8), cache.get("d", 8)]).toEqual([undefined, undefined, "new"]);
  });

  test("values stored since then are found", () => {
    const cache = filled();
    cache.get("a", 8);
    cache.set("a", "new", 8);
    expect(cache.get("a", 8)).toBe("new");
  });
});
