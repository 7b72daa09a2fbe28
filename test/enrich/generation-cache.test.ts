import { expect, test } from "bun:test";
import { GenerationCache } from "../../server/enrich/generation-cache.ts";

test("never holds more than two generations", () => {
  const cache = new GenerationCache<number>(100);
  for (let i = 0; i < 10_000; i++) {
    cache.set(`key ${i}`, i);
    expect(cache.size).toBeLessThanOrEqual(200);
  }
  expect(cache.get("key 9999")).toBe(9999);
  expect(cache.get("key 0")).toBeUndefined();
});

test("what is asked for stays, however much passes by", () => {
  const cache = new GenerationCache<string>(100);
  cache.set("popular", "here");
  for (let i = 0; i < 1000; i++) {
    cache.set(`once ${i}`, "x");
    expect(cache.get("popular")).toBe("here");
  }
});

test("forgets all when cleared", () => {
  const cache = new GenerationCache<string>(2);
  for (const key of ["a", "b", "c"]) cache.set(key, key);
  cache.clear();
  expect([cache.size, cache.get("a"), cache.get("c")]).toEqual([0, undefined, undefined]);
});
