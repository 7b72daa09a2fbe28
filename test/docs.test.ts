import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import manifest from "../package.json" with { type: "json" };
import { sections } from "../server/config/keys.ts";
import { statusOfRefusal } from "../server/ingest/refusal.ts";
import { statusOfError } from "../server/management/api/json-answer.ts";
import { Ledger } from "../server/telemetry/ledger.ts";
import { createMetrics } from "../server/telemetry/metrics.ts";

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

  test("has every metric of its own", async () => {
    const text = await createMetrics({
      ledger: new Ledger(),
      version: "",
      lookups: () => ({}),
      addressCache: () => ({ hit: 0, miss: 0 }),
      dns: () => undefined,
      databases: () => [],
      isReady: () => true,
      outputs: () => undefined,
    }).text();
    const names = text.match(/(?<=^# TYPE )loom_\w+/gm) ?? [];
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) expect(readme).toContain(`\`${name}\``);
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
