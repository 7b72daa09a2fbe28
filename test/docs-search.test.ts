import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { maxQueryLength, maxTerms, maxValues } from "../server/query/parse-query.ts";
import { queryNames } from "../server/query/query-fields.ts";
import { parsed } from "./query/queries.ts";

const page = readFileSync(new URL("../docs/search.md", import.meta.url), "utf8");

/** The parts of the page in backticks that are not queries: names, single signs and escapes. */
const notQueries: ReadonlySet<string> = new Set([
  ...queryNames,
  ...["field:value", "since:", "until:", "event.id", "*", "?", "s", "w"],
]);
const blocks = [...page.matchAll(/^```\n(.*?)\n```$/gms)].map(([, text = ""]) => text);
const inline = [...page.replace(/^```.*?^```$/gms, "").matchAll(/`([^`\n]+)`/g)]
  .map(([, text = ""]) => text)
  .filter((text) => !notQueries.has(text) && !text.startsWith("\\"));
const examples = [...new Set([...blocks, ...inline])];

describe("docs/search.md", () => {
  test("has examples", () => {
    expect(examples.length).toBeGreaterThan(30);
  });

  for (const example of examples)
    test(`its example ${example} is a query`, () => {
      const { terms, since, until } = parsed(example);
      expect(terms.length + Number(since !== undefined) + Number(until !== undefined)).toBeGreaterThan(0);
    });

  for (const name of queryNames)
    test(`has the field ${name}`, () => {
      expect(page).toContain(`\`${name}\``);
    });

  test("has the limits", () => {
    const limits = [maxQueryLength, maxTerms, maxValues].map((limit) => limit.toLocaleString("en"));
    expect(page).toContain(`${limits[0]} characters, ${limits[1]} terms and ${limits[2]} values`);
  });
});
