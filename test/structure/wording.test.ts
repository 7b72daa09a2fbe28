import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readSource, root, sourceFiles } from "./source-files.ts";

/** Words that this project wrote once and that readers had to decode, each with the word that replaces it. */
const replacedWords: readonly (readonly [RegExp, string])[] = [
  [/\bmend(?:s|ed|ing)?\b/i, "fix"],
  [/\banew\b/i, "again"],
  [/\bwhoever\b/i, "the client, the caller, operators"],
  [/\bstepped over\b/i, "skipped"],
  [/\bset aside\b/i, "moved to damaged/"],
  [/\brefused for good\b/i, "rejected"],
  [/\b(?:goes|going) on\b/i, "continues, resumes"],
  [/\blets? in (?:once|again)\b/i, "works once"],
  [/\bunless told\b/i, "by default"],
  [/(?<!\b(?:there|There) )\b(?:is|are) no (?!longer\b)[a-z]+/, "is not a"],
];

const pages = [".", "docs", "ui"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name)),
);
const files = [
  ...(["server", "ui", "scripts", "test"] as const).flatMap(sourceFiles),
  ...pages,
  ".ci/run",
].filter((path) => path !== "test/structure/wording.test.ts");

for (const [word, replacement] of replacedWords)
  test(`nothing says ${word.source}: use "${replacement}"`, () => {
    const lines = files.flatMap((path) =>
      readSource(path)
        .split("\n")
        .filter((line) => word.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
    expect(lines).toEqual([]);
  });

test("no file has the marks of a merge conflict", () => {
  expect(files.filter((path) => /^(?:<{7}|>{7}) /m.test(readSource(path)))).toEqual([]);
});
