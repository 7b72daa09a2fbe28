import { expect, test } from "bun:test";
import { editDistance, findNearestName } from "../../server/text/nearest-name.ts";

for (const [from, to, distance] of [
  ["", "", 0],
  ["abc", "abc", 0],
  ["", "abc", 3],
  ["abc", "", 3],
  ["abc", "abd", 1],
  ["abc", "ab", 1],
  ["abc", "xabc", 1],
  ["abc", "acb", 1],
  ["ab", "ba", 1],
  ["ca", "abc", 3],
  ["kitten", "sitting", 3],
] as const) {
  test(`"${from}" and "${to}" have the distance ${distance}`, () => {
    expect(editDistance(from, to)).toBe(distance);
  });
}

test("the nearest of several names is found", () => {
  expect(findNearestName("key_fil", ["cert_file", "key_file", "tls"])).toBe("key_file");
});

test("a name that is not similar to a known one has no nearest name", () => {
  expect(findNearestName("colour", ["level", "format"])).toBeUndefined();
});

test("a short name allows only one mistake", () => {
  expect([findNearestName("tsl", ["tls"]), findNearestName("xyz", ["tls"])]).toEqual(["tls", undefined]);
});

test("a very long name is not compared", () => {
  expect(findNearestName("a".repeat(65), ["a".repeat(64)])).toBeUndefined();
});
