import { describe, expect, test } from "bun:test";
import { navigationPages, type PageEntry, pages } from "../../ui/page-list.ts";

const entries: readonly PageEntry[] = pages;

describe("the page list", () => {
  for (const property of ["id", "path", "title"] as const)
    test(`has each ${property} once`, () => {
      const values = entries.map((page) => page[property]);
      expect(new Set(values).size).toBe(values.length);
    });

  test("has each navigation key once, a lower-case letter", () => {
    const keys = navigationPages.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.filter((key) => !/^[a-z]$/.test(key))).toEqual([]);
  });

  test("has a fixed path before every pattern that matches it, because the router takes the first match", () => {
    const shadowed = entries.filter(({ path }, i) =>
      entries.slice(0, i).some((before) => patternOf(before.path).test(path)),
    );
    expect(shadowed).toEqual([]);
  });

  test("has no page with a parameter in the navigation", () => {
    expect(navigationPages.filter(({ path }) => path.includes(":"))).toEqual([]);
  });
});

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`);
}
