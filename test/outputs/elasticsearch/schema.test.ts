import { describe, expect, test } from "bun:test";
import { enrichedFields } from "../../../server/enrich/additions.ts";
import { properties } from "../../../server/outputs/elasticsearch/fields.ts";
import { templateName } from "../../../server/outputs/elasticsearch/index-names.ts";
import { indexTemplate } from "../../../server/outputs/elasticsearch/schema.ts";
import { capturedRequests } from "../../support/fixtures.ts";

describe("the template of an index", () => {
  test.each([
    ["loom-events", ["loom-events", "loom-events-*"], "loom-events"],
    ["loom-events-%Y.%m.%d", ["loom-events-*.*.*"], "loom-events"],
    ["honeypot-%Y", ["honeypot-*"], "loom-honeypot"],
    ["%Y-honeypot", ["*-honeypot"], "loom-honeypot"],
  ])("%s: patterns and name", (index, patterns, name) => {
    expect(indexTemplate(index).index_patterns).toEqual(patterns);
    expect(templateName(index)).toBe(name);
  });
});

describe("the fields of the template", () => {
  /** True if a field is indexed with a type of its own, or is inside an object that is stored as it is. */
  function isMapped(path: readonly string[]): boolean {
    let mapping: Mapping | undefined = { properties };
    for (const name of path) {
      if (mapping?.enabled === false) return true;
      mapping = mapping?.properties?.[name];
    }
    return mapping !== undefined && mapping.properties === undefined;
  }

  test("every field that Spip writes is mapped", () => {
    const events = capturedRequests.flatMap(({ body }) => JSON.parse(body) as unknown[]);
    const paths = events.flatMap((event) => leavesOf(event, []));
    expect(paths.length).toBeGreaterThan(100);
    expect(paths.filter((path) => !isMapped(path))).toEqual([]);
  });

  test.each([...enrichedFields])("%s, which Loom adds, is mapped", (field) => {
    expect(isMapped(field.split("."))).toBe(true);
  });

  test("they are fewer than the limit of a new index", () => {
    expect(countFields(properties as Fields)).toBeLessThan(1000);
  });

  test("a field that is not in the template takes up no field", () => {
    expect(indexTemplate("loom-events").template.mappings.dynamic).toBe(false);
  });
});

type Fields = Readonly<Record<string, Mapping>>;

interface Mapping {
  readonly enabled?: boolean;
  readonly properties?: Fields;
}

function leavesOf(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

function countFields(fields: Fields): number {
  return Object.values(fields).reduce(
    (sum, { properties: inner }) => sum + 1 + (inner === undefined ? 0 : countFields(inner)),
    0,
  );
}
