import { describe, expect, test } from "bun:test";
import { codePointEscape, escapeUnsafe, jsonEscape, printable } from "../../server/text/printable.ts";

describe("printable", () => {
  for (const [what, text, shown] of [
    ["C0 control characters", "a\0b\nc\x1b[31m", "a\\u0000b\\u000ac\\u001b[31m"],
    ["DEL and C1 control characters", "\x7f\x9b", "\\u007f\\u009b"],
    ["bidirectional overrides", "\u202etxt\u2066", "\\u202etxt\\u2066"],
    ["zero-width characters", "a\u200bb\ufeff", "a\\u200bb\\ufeff"],
    ["line and paragraph separators", "\u2028\u2029", "\\u2028\\u2029"],
    ["lone surrogates", "\ud83d \udc1d", "\\ud83d \\udc1d"],
    ["private-use characters", "\ue000", "\\ue000"],
    ["tags, which need two escapes", "\u{e0041}", "\\udb40\\udc41"],
    ["unassigned characters", "\u0378", "\\u0378"],
  ] as const)
    test(`escapes ${what}`, () => {
      expect(printable(text)).toBe(shown);
    });

  for (const text of ["Zürich 東京 \u{1f41d}", '<script>"\\', " a b "])
    test(`leaves ${JSON.stringify(text)} as it is`, () => {
      expect(printable(text)).toBe(text);
    });

  test("leaves the value of a JSON document unchanged", () => {
    const value = { text: "a\u202e\x7f\u{e0041}b" };
    const shown = printable(JSON.stringify(value));
    expect(shown).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(shown)).toEqual(value);
  });
});

test("escapeUnsafe hands over each unsafe character whole", () => {
  const seen: string[] = [];
  const replace = (char: string) => {
    seen.push(char);
    return "?";
  };
  expect(escapeUnsafe("a\u{e0041}\nb", replace)).toBe("a??b");
  expect(seen).toEqual(["\u{e0041}", "\n"]);
});

test("a character above U+FFFF is two escapes in JSON and one in JavaScript", () => {
  expect([jsonEscape("\u{1f41d}"), codePointEscape("\u{1f41d}")]).toEqual(["\\ud83d\\udc1d", "\\u{1f41d}"]);
  expect([jsonEscape("\n"), codePointEscape("\n")]).toEqual(["\\u000a", "\\u{a}"]);
});
