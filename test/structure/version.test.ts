import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { version } from "../../server/version.ts";
import { readSource, root, sourceFiles } from "./source-files.ts";

/** Files that people or programs read, without CHANGELOG.md, which lists every version. */
const files = [
  ...(["server", "ui", "scripts"] as const).flatMap(sourceFiles),
  ...[".ci", ".github/workflows", "docs"].flatMap((folder) => filesIn(folder)),
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
];

function filesIn(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => `${folder}/${name}`);
}

test("the executable has the version of package.json", () => {
  expect(version).toBe(manifest.version);
});

test("no other file states the version", () => {
  const number = new RegExp(`(?<![\\d.])${manifest.version.replaceAll(".", "\\.")}(?![\\d.])`);
  expect(files.filter((path) => number.test(readSource(path)))).toEqual([]);
});

test("the workflows take Bun's version from package.json", () => {
  const [, bunVersion = ""] = manifest.packageManager.split("@");
  const workflows = [...filesIn(".ci"), ...filesIn(".github/workflows")];
  expect(workflows.length).toBeGreaterThan(2);
  expect(workflows.filter((path) => readSource(path).includes(bunVersion))).toEqual([]);
});
