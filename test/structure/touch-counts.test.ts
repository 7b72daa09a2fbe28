import { describe, expect, test } from "bun:test";
import { schemaWith } from "../../server/config/keys.ts";
import { outputDescriptors } from "../../server/outputs/registry.ts";
import { pages } from "../../ui/page-list.ts";
import { allMetrics } from "../support/all-metrics.ts";
import { importsOf } from "./imports.ts";
import { readSource, sourceFiles } from "./source-files.ts";

/*
 * CONTRIBUTING.md says what has to be touched to add an output, a key, a metric or a page. These tests fail if the sources
 * begin to need more.
 */

const sources = (["server", "ui"] as const)
  .flatMap(sourceFiles)
  .map((path) => ({ path, text: readSource(path) }));

/** @returns the files of server/ and ui/ that contain the text as a string in quotes */
function filesThatQuote(text: string): string[] {
  const quoted = [`"${text}"`, `'${text}'`, `\`${text}\``];
  return sources.filter((source) => quoted.some((one) => source.text.includes(one))).map(({ path }) => path);
}

describe("a metric is declared in one file", () => {
  for (const { name } of allMetrics().metrics.descriptions)
    test(name, () => {
      expect(filesThatQuote(name)).toEqual([expect.stringMatching(/-metrics\.ts$/)]);
    });
});

describe("an output", () => {
  for (const { name } of outputDescriptors) {
    const folder = `server/outputs/${name}/`;

    test(`${name}: only the registry imports its folder`, () => {
      const others = sources.filter(({ path }) => !path.startsWith(folder));
      const into = others.flatMap(({ path }) => importsOf(path)).filter(({ to }) => to.startsWith(folder));
      expect(into).toEqual([
        { from: "server/outputs/registry.ts", to: `${folder}descriptor.ts`, isTypeOnly: false },
      ]);
    });

    test(`${name}: no code outside its folder depends on its name`, () => {
      const comparison = new RegExp(`(?:[!=]==|\\bcase|\\bincludes\\() ?["'\`]${name}["'\`]`);
      const files = sources.filter(({ text }) => comparison.test(text)).map(({ path }) => path);
      expect(files.filter((path) => !path.startsWith(folder))).toEqual([]);
    });
  }
});

test("the code outside its folder does not name an output that is reached over the network", () => {
  const named = sources.filter(({ text }) => /clickhouse|elasticsearch/i.test(withoutComments(text)));
  const files = named
    .map(({ path }) => path)
    .filter((path) => !/^server\/outputs\/(?:clickhouse|elasticsearch)\//.test(path));
  expect(files).toEqual([
    // The example of a list in the description of `output.type`.
    "server/config/keys.ts",
    "server/outputs/registry.ts",
  ]);
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
}

test("a configuration key is declared in one file: with the outputs, or in the table of keys", () => {
  const { sections, tableArrays } = schemaWith(outputDescriptors);
  const ofTables = Object.entries(tableArrays).map(([array, { keys }]) => [array, keys] as const);
  for (const [section, keys] of [...Object.entries(sections), ...ofTables])
    for (const name of Object.keys(keys)) {
      const declaration = new RegExp(
        `^ {4,6}${name}: (?:withDefault|optional|required|outputTypeKey)\\(`,
        "m",
      );
      const files = sources.filter(({ text }) => declaration.test(text)).map(({ path }) => path);
      expect([section, name, files]).toEqual([
        section,
        name,
        [expect.stringMatching(/^server\/(?:config\/keys|outputs\/\w+\/descriptor)\.ts$/)],
      ]);
    }
});

describe("a page", () => {
  test("has its path in the page list: neither the server nor the router names it", () => {
    const paths = pages.map(({ path }) => path).filter((path) => path !== "/");
    const files = paths.flatMap(filesThatQuote);
    expect(files.filter((path) => path.startsWith("server/") || path === "ui/app.tsx")).toEqual([]);
  });

  test("has its component in a file of ui/pages/ that only the router imports", () => {
    const ofPages = sources
      .flatMap(({ path }) => importsOf(path))
      .filter(({ to }) => to.startsWith("ui/pages/"));
    expect(new Set(ofPages.map(({ from }) => from))).toEqual(new Set(["ui/app.tsx"]));
    expect(ofPages.length).toBe(pages.length + 1);
  });
});
