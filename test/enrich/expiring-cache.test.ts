import { describe, expect, test } from "bun:test";
import { createExpiringCache } from "../../server/enrich/expiring-cache.ts";

function cacheAt(clock: { nowMs: number }, maxEntries = 3) {
  return createExpiringCache<string | null>({ ttlMs: 1000, maxEntries, now: () => clock.nowMs });
}

test("an entry lives for the cache's lifetime", () => {
  const clock = { nowMs: 0 };
  const cache = cacheAt(clock);
  cache.set("a", "1");
  clock.nowMs = 999;
  expect(cache.get("a")).toBe("1");
  clock.nowMs = 1000;
  expect(cache.get("a")).toBeUndefined();
});

test("null is a value like any other", () => {
  const cache = cacheAt({ nowMs: 0 });
  cache.set("a", null);
  expect(cache.get("a")).toBeNull();
});

test("the oldest entry is evicted from a full cache", () => {
  const cache = cacheAt({ nowMs: 0 });
  for (const key of ["a", "b", "c", "d"]) cache.set(key, key);
  expect(["a", "b", "c", "d"].map((key) => cache.get(key))).toEqual([undefined, "b", "c", "d"]);
});

describe("an entry that is set again", () => {
  test("counts as new", () => {
    const cache = cacheAt({ nowMs: 0 });
    for (const key of ["a", "b", "c", "a", "d"]) cache.set(key, key);
    expect(["a", "b", "c", "d"].map((key) => cache.get(key))).toEqual(["a", undefined, "c", "d"]);
  });

  test("evicts none from a full cache", () => {
    const cache = cacheAt({ nowMs: 0 });
    for (const key of ["a", "b", "c", "b"]) cache.set(key, key);
    expect(["a", "b", "c"].map((key) => cache.get(key))).toEqual(["a", "b", "c"]);
  });

  test("is evicted after the entries that were set before it", () => {
    const cache = cacheAt({ nowMs: 0 });
    for (const key of ["a", "b", "c", "b", "d", "e"]) cache.set(key, key);
    expect(["b", "c", "d", "e"].map((key) => cache.get(key))).toEqual(["b", undefined, "d", "e"]);
  });
});
