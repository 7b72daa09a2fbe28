import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import manifest from "../package.json" with { type: "json" };
import { sections } from "../server/config/keys.ts";
import { statusOfRefusal } from "../server/ingest/refusal.ts";
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
