import { describe, expect, test } from "bun:test";
import { allMetrics } from "../support/all-metrics.ts";
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
