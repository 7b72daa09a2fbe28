import { describe, expect, test } from "bun:test";
import { parse } from "smol-toml";
import {
  choice,
  flag,
  integer,
  limit,
  listOf,
  oneOrMore,
  path,
  quote,
  showType,
  sizeLimit,
} from "../../server/config/kind.ts";

describe("a value that must not be shown is described by its type:", () => {
  const values = parse('t = "x"\ni = 1\nf = 1.5\nb = true\nl = []\ns = {}\nd = 2026-01-01', {
    integersAsBigInt: true,
  });

  test.each([
    ["t", "text (not shown)"],
    ["i", "an integer"],
    ["f", "a float"],
    ["b", "true or false"],
    ["l", "a list"],
    ["s", "a section"],
    ["d", "a date or time"],
  ])("%s is %s", (name, shown) => {
    expect(showType(values[name] ?? "missing")).toBe(shown);
  });
});

test("a list has up to its largest number of items", () => {
  const kind = listOf(path, 2);
  const refuse = () => {
    throw new Error("refused");
  };
  expect(kind.read(["a", "b"], refuse)).toEqual(["a", "b"]);
  expect(() => kind.read(["a", "b", "c"], refuse)).toThrow("refused");
  expect(() => kind.read([], refuse)).toThrow("refused");
});

test("the error on an item of a list has the reason of the item", () => {
  const refuse = (reason?: string) => {
    throw new Error(reason);
  };
  expect(() => listOf(path, 2).read([1n], refuse)).toThrow(/^item 1$/);
});

test("a kind has its bounds or choices in words", () => {
  const ranges = [
    integer({ min: 1, max: 9 }),
    limit({ max: 9 }),
    sizeLimit({ max: 9 }),
    choice(["a", "b"]),
    oneOrMore(choice(["a", "b"]), 2),
    flag,
    path,
  ].map(({ range }) => range);
  expect(ranges).toEqual([
    "1 to 9",
    "1 to 9; -1: no limit",
    "1 to 9; -1: 9",
    '"a", "b"',
    '"a", "b"',
    undefined,
    undefined,
  ]);
});

test("quoted text is one line of at most 100 characters, without invisible characters", () => {
  expect(quote("a\n\u202e\u{e0001}")).toBe('"a\\n\\u{202e}\\u{e0001}"');
  expect(quote("x".repeat(101))).toBe(`"${"x".repeat(100)}…"`);
});
