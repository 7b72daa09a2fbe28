import { describe, expect, test } from "bun:test";
import { sections } from "../../server/config/keys.ts";
import { outputDescriptors, outputTitle } from "../../server/outputs/registry.ts";

const allKeys = outputDescriptors.flatMap(({ keys }) => Object.entries(keys));

for (const { name, keys } of outputDescriptors)
  test(`the keys of ${name} begin with its name`, () => {
    expect(Object.keys(keys).filter((key) => !key.startsWith(`${name}_`))).toEqual([]);
  });

describe("unique are", () => {
  test("the names of outputs", () => {
    const names = outputDescriptors.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test("the names of keys in [output]", () => {
    const names = [...Object.keys(sections.output), ...allKeys.map(([name]) => name)];
    expect(new Set(names).size).toBe(names.length);
  });

  test("the environment variables of keys", () => {
    const variables = allKeys.flatMap(([, { environment }]) => environment ?? []);
    expect(new Set(variables).size).toBe(variables.length);
  });
});

test("environment variables are named after their keys", () => {
  for (const [name, { environment }] of allKeys)
    if (environment !== undefined) expect(environment).toBe(`LOOM_${name.toUpperCase()}`);
});

test("the title of an output is written as its vendor does, and an unknown output has its name as title", () => {
  expect(["clickhouse", "elasticsearch", "stdout", "other"].map(outputTitle)).toEqual([
    "ClickHouse",
    "Elasticsearch",
    "stdout",
    "other",
  ]);
});
