import { describe, expect, test } from "bun:test";
import { startOf, truncate } from "../../server/text/truncate.ts";

describe("truncate", () => {
  test("leaves a text of the longest length as it is", () => {
    expect(truncate("abc", 3)).toBe("abc");
    expect(truncate("", 0)).toBe("");
  });

  test("marks a text that it cut", () => {
    expect(truncate("abcd", 3)).toBe("abc…");
  });

  test("never cuts a surrogate pair in two", () => {
    expect(truncate("a\u{1f41d}b", 2)).toBe("a…");
    expect(truncate("a\u{1f41d}b", 3)).toBe("a\u{1f41d}…");
  });
});

describe("startOf", () => {
  test("leaves a text of the longest length as it is, even one that ends in half of a pair", () => {
    expect(startOf("ab\ud83d", 3)).toBe("ab\ud83d");
  });

  test("cuts a longer text", () => {
    expect(startOf("abcd", 3)).toBe("abc");
    expect(startOf("abcd", 0)).toBe("");
  });

  for (const [what, text, start] of [
    ["the first half of a pair", "a\u{10000}b", "a"],
    ["the highest first half", "a\udbff\udfffb", "a"],
  ] as const)
    test(`leaves ${what} out where the cut would separate it from the second`, () => {
      expect(startOf(text, 2)).toBe(start);
    });

  for (const last of ["\ud7ff", "\udc00", "\ue000"])
    test(`keeps the code unit ${last.charCodeAt(0).toString(16)}, which does not begin a pair`, () => {
      expect(startOf(`a${last}b`, 2)).toBe(`a${last}`);
    });
});
