import { describe, expect, test } from "bun:test";
import { parseConfig } from "./parse.ts";
import { refusal } from "./refusal.ts";

const rule = (lines: string) => `[[ignore]]\n${lines}\n`;
const scanners = rule('name = "scanners"\nnetworks = ["198.51.100.0/24"]');
const wrong = (toml: string) => refusal(() => parseConfig(toml, {}));

test("a file without tables has an empty list", () => {
  expect(parseConfig("", {}).ignore).toEqual([]);
  expect(parseConfig("ignore = []", {}).ignore).toEqual([]);
});

test("tables are read in the order of the file, with their defaults, and frozen", () => {
  const { ignore } = parseConfig(
    scanners + rule('name = "a.b_C-1"\nnetworks = ["::1"]\naction = "drop"\ntag = "ours"'),
    {},
  );
  expect(ignore.map(({ name, action, tag }) => [name, action, tag])).toEqual([
    ["scanners", "tag", "ignored"],
    ["a.b_C-1", "drop", "ours"],
  ]);
  expect(Object.isFrozen(ignore[0]?.networks)).toBeTrue();
});

test("tables may be written inline", () => {
  expect(parseConfig('ignore = [{ name = "a", networks = ["10.0.0.1"] }]', {}).ignore[0]?.name).toBe("a");
});

describe("an error names the table, counted from 1:", () => {
  const facts: readonly (readonly [fact: string, lines: string, message: string])[] = [
    [
      "a misspelled key",
      'name = "a"\nnetwork = ["10.0.0.0/8"]',
      'unknown key "network" (did you mean "networks"?)',
    ],
    ["a key of a section", 'level = "info"', 'unknown key "level" (it belongs in [logging])'],
    ["an unknown key", "colour_of_it = 1", 'unknown key "colour_of_it" (known: name, networks, action, tag)'],
    ["a missing name", 'networks = ["10.0.0.0/8"]', "name is missing"],
    ["an empty name", 'name = ""\nnetworks = ["10.0.0.0/8"]', "name is missing"],
    ["missing networks", 'name = "a"', "networks is missing"],
    [
      "a name with a line break",
      'name = "a\\nb"',
      'name is "a\\nb"; allowed: 1 to 64 letters, digits, ".", "_" and "-"',
    ],
    [
      "a name that is too long",
      `name = "${"a".repeat(65)}"`,
      `name is "${"a".repeat(65)}"; allowed: 1 to 64 letters, digits, ".", "_" and "-"`,
    ],
    [
      "a network that is not one",
      'name = "a"\nnetworks = ["10.0.0.0/8", "example.com"]',
      'networks is a list (item "example.com": it is not an IP address or a network); allowed: a list of 1 to 10000 strings, each an IP address, or a network such as "10.0.0.0/8" or "2001:db8::/32"',
    ],
    [
      "no network",
      'name = "a"\nnetworks = []',
      'networks is a list; allowed: a list of 1 to 10000 strings, each an IP address, or a network such as "10.0.0.0/8" or "2001:db8::/32"',
    ],
    [
      "an unknown action",
      'name = "a"\nnetworks = ["10.0.0.1"]\naction = "delete"',
      'action is "delete"; allowed: "tag", "drop"',
    ],
    [
      "a tag with a control character",
      'name = "a"\nnetworks = ["10.0.0.1"]\ntag = "\\u001b"',
      'tag is "\\u001b"; allowed: 1 to 64 characters without control characters',
    ],
    [
      "the name of an earlier table",
      'name = "scanners"\nnetworks = ["10.0.0.1"]',
      'name is "scanners", as in table 1; allowed: another name',
    ],
  ];
  for (const [fact, lines, message] of facts)
    test(fact, () => {
      expect(wrong(scanners + rule(lines))).toBe(`config: ignore: table 2: ${message}`);
    });
});

test("100 tables are read, and one more is refused", () => {
  const tables = (count: number) =>
    Array.from({ length: count }, (_, i) => rule(`name = "${i}"\nnetworks = ["10.0.0.1"]`)).join("");
  expect(parseConfig(tables(100), {}).ignore).toHaveLength(100);
  expect(wrong(tables(101))).toBe("config: ignore: has 101 tables; allowed: at most 100");
});

test("10,000 networks in all tables together are read, and one more is refused", () => {
  const network = (i: number) => `"10.${i >> 16}.${(i >> 8) & 255}.${i & 255}"`;
  const networks = (count: number) =>
    `networks = [${Array.from({ length: count }, (_, i) => network(i)).join(", ")}]`;
  const tables = (count: number) =>
    rule(`name = "a"\n${networks(5_000)}`) + rule(`name = "b"\n${networks(count)}`);
  expect(parseConfig(tables(5_000), {}).ignore).toHaveLength(2);
  expect(wrong(tables(5_001))).toBe(
    "config: ignore: the tables have 10001 networks together; allowed: at most 10000",
  );
});

test("a section instead of tables is refused", () => {
  expect(wrong('[ignore]\nname = "a"')).toBe(
    "config: ignore: is a section; allowed: tables, each [[ignore]]",
  );
});

test("a list of values instead of tables is refused", () => {
  expect(wrong('ignore = ["10.0.0.0/8"]')).toBe(
    "config: ignore: is a list; allowed: tables, each [[ignore]]",
  );
});

test("the error on misspelled tables names the right ones", () => {
  expect(wrong('[[ignored]]\nname = "a"')).toBe('config: unknown section "ignored" (did you mean "ignore"?)');
});

test("the error on a key of a table in a section names the tables", () => {
  expect(wrong('[server]\nnetworks = ["10.0.0.1"]')).toBe(
    'config: server: unknown key "networks" (it belongs in [[ignore]])',
  );
});
