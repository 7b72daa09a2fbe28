import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import manifest from "../package.json" with { type: "json" };
import { sections } from "../server/config/keys.ts";
import { statusOfRefusal } from "../server/ingest/refusal.ts";
import { statusOfError } from "../server/management/api/json-answer.ts";
import { allMetrics } from "./support/all-metrics.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README", () => {
  test("names the pinned version of Bun and no other", () => {
    const versions = new Set(readme.match(/bun@[\d.]+/g));
    expect([...versions]).toEqual([manifest.packageManager]);
  });

  for (const [section, keys] of Object.entries(sections))
    test(`has every key of [${section}]`, () => {
      const [, ofSection = ""] = readme.split(`**[${section}]**`);
      const [reference = ""] = ofSection.split("**[");
      for (const key of Object.keys(keys)) expect(reference).toContain(`\`${key}\``);
    });

  for (const [code, status] of Object.entries(statusOfRefusal))
    if (code !== "client_closed_request")
      test(`has the answer ${status} ${code}`, () => {
        expect(readme).toMatch(new RegExp(`\\| ${status} \\|.*\`${code}\``));
      });
});

describe("docs/metrics.md", () => {
  const page = readFileSync(new URL("../docs/metrics.md", import.meta.url), "utf8");
  const { descriptions } = allMetrics().metrics;
  const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");

  for (const { name, type, labels, help } of descriptions)
    test(`describes ${name} as the code does`, () => {
      expect(page.split("\n")).toContain(`| \`${name}\` | ${type} | ${code(labels)} | ${help} |`);
    });

  test("describes no other metric", () => {
    const names = page.match(/(?<=^\| `)loom_\w+/gm) ?? [];
    expect(names.toSorted()).toEqual(descriptions.map(({ name }) => name).toSorted());
  });
});

describe("docs/api.md", () => {
  const reference = readFileSync(new URL("../docs/api.md", import.meta.url), "utf8");
  const folder = new URL("../server/management/api/", import.meta.url);
  const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
  const paths = new Set(sources.join("\n").match(/(?<=["`])\/api\/v1\/[^"`?\s…]+/g));

  test("is held against every path of the API", () => {
    expect(paths.size).toBeGreaterThan(10);
  });

  for (const path of paths)
    test(`has ${path}`, () => {
      expect(reference).toContain(path);
    });

  for (const code of Object.keys(statusOfError))
    if (code !== "internal_error" && code !== "method_not_allowed")
      test(`has the error ${code}`, () => {
        expect(reference).toContain(`\`${code}\``);
      });
});
