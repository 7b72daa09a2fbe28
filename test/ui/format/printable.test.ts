import { describe, expect, test } from "bun:test";
import { dotted, printable, printableLines } from "../../../ui/format/printable.ts";

describe("an attacker's text", () => {
  test("has its control characters escaped", () => {
    expect(printable("a\x00b\x1b[31mc\x7fd\x9be")).toBe("a\\u{0}b\\u{1b}[31mc\\u{7f}d\\u{9b}e");
  });

  test("cannot reverse the direction of the line", () => {
    expect(printable("abc\u202etxt.exe\u2066x\u200f")).toBe("abc\\u{202e}txt.exe\\u{2066}x\\u{200f}");
  });

  test("stays on one line", () => {
    expect(printable("a\r\nb\tc\u2028d\u2029e")).toBe("a\\r\\nb\\tc\\u{2028}d\\u{2029}e");
  });

  test("has lone surrogates escaped and surrogate pairs unchanged", () => {
    expect(printable("\ud83d x \u{1f41d} y \udc1d")).toBe("\\u{d83d} x \u{1f41d} y \\u{dc1d}");
  });

  test("keeps markup, which the page inserts as text", () => {
    expect(printable("<script>alert(1)</script>")).toBe("<script>alert(1)</script>");
  });

  test("keeps line feeds and tabs if it may have lines", () => {
    expect(printableLines("a\n\tb\x00\u202e")).toBe("a\n\tb\\u{0}\\u{202e}");
  });

  test("in a narrow line has a dot for each of them", () => {
    expect(dotted("SSH-2.0-x\r\n\x00\u202e\u{1f41d}")).toBe("SSH-2.0-x····\u{1f41d}");
  });
});
