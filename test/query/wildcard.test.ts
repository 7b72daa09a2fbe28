import { expect, test } from "bun:test";
import {
  anyCharacters,
  compileWildcard,
  escapeWildcards,
  oneCharacter,
  wildcardParts,
  wildcardPrefix,
} from "../../server/query/wildcard.ts";

const cases: readonly (readonly [pattern: string, matching: string[], other: string[]])[] = [
  ["po11*", ["po11", "po11nn05"], ["apo11", "po1"]],
  ["*.php", [".php", "/a.php", ".php.php"], ["/a.php5", "php"]],
  ["/a*/b", ["/a/b", "/a//b", "/axx/b"], ["/a/bc", "/ab", "/a"]],
  ["*ab*ba*", ["abba", "xabxbax"], ["aba", "baab"]],
  ["a*a", ["aa", "aba"], ["a", "ab"]],
  ["?", ["a", "é", "😀"], ["", "ab", "😀😀"]],
  ["a?c", ["abc", "a😀c"], ["ac", "abbc"]],
  ["*?a", ["ba", "😀a", "xxa"], ["a", "ab"]],
  ["*a?b*", ["a1b", "xaa1bx", "a😀b"], ["ab", "a12b"]],
  ["??", ["ab", "😀😀"], ["a", "😀"]],
  ["*", ["", "a", "😀"], []],
  ["\\*a\\?", ["*a?"], ["xa?", "*ab"]],
  ["a\\\\*", ["a\\", "a\\b"], ["a", "a*"]],
  ["a\\", ["a\\"], ["a"]],
  ["a\nb*", ["a\nb", "a\nb\n"], ["ab"]],
  ["", [""], ["a"]],
];

for (const [pattern, matching, other] of cases)
  test(`${JSON.stringify(pattern)} matches what it describes and nothing else`, () => {
    const isMatch = compileWildcard(pattern);
    expect(matching.filter((value) => !isMatch(value))).toEqual([]);
    expect(other.filter(isMatch)).toEqual([]);
  });

/** The definition of the pattern, by trying everything. */
function matchesSlowly(pattern: readonly string[], value: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return value.length === 0;
  if (first === "*")
    return matchesSlowly(rest, value) || (value.length > 0 && matchesSlowly(pattern, value.slice(1)));
  return value.length > 0 && (first === "?" || first === value[0]) && matchesSlowly(rest, value.slice(1));
}

function textsUpTo(length: number, characters: readonly string[]): string[][] {
  if (length === 0) return [[]];
  const shorter = textsUpTo(length - 1, characters);
  return [...shorter, ...shorter.flatMap((text) => characters.map((character) => [...text, character]))];
}

test("all short patterns match the same short values as their definition", () => {
  const values = [...new Set(textsUpTo(4, ["a", "b", "😀"]).map((text) => text.join("")))];
  const patterns = [...new Set(textsUpTo(4, ["a", "😀", "*", "?"]).map((text) => text.join("")))];
  const wrong = patterns.flatMap((pattern) => {
    const isMatch = compileWildcard(pattern);
    return values
      .filter((value) => isMatch(value) !== matchesSlowly([...pattern], [...value]))
      .map((value) => [pattern, value]);
  });
  expect(wrong).toEqual([]);
});

test("a pattern of many wildcards does not try the same place again and again", () => {
  // With a regular expression this would not end.
  expect(compileWildcard(`${"*a?".repeat(600)}*b`)("a".repeat(20_000))).toBe(false);
});

test("the parts of a pattern are its texts and wildcards, with escapes removed", () => {
  expect(wildcardParts("a\\*b**?c")).toEqual(["a*b", anyCharacters, oneCharacter, "c"]);
});

test("the prefix of a pattern ends at its first wildcard", () => {
  expect(["/wp-*.php", "a\\*b?", "*a", "ab"].map(wildcardPrefix)).toEqual(["/wp-", "a*b", "", "ab"]);
});

test("an escaped text matches only itself", () => {
  const isMatch = compileWildcard(escapeWildcards("a*?\\"));
  expect([isMatch("a*?\\"), isMatch("abc\\"), isMatch("a*?\\\\")]).toEqual([true, false, false]);
});
