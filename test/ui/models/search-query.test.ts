import { describe, expect, test } from "bun:test";
import {
  hasTimes,
  hasValue,
  parseSearchQuery,
  searchedQuery,
  searchLink,
  searchOfAddress,
  toggleValue,
  withCustomTimes,
  withoutTimes,
  withTimes,
} from "../../../ui/models/search-query.ts";

describe("the address", () => {
  test("has the query, the range and the event, and is read as it was written", () => {
    const search = { text: 'port:22 "a&b=c"', range: "7d", eventId: "12" } as const;
    const link = searchLink(search);
    expect(searchOfAddress(Object.fromEntries(new URL(link, "http://loom").searchParams))).toEqual(search);
  });

  test("without parameters is every event of 24 hours", () => {
    expect(searchLink({})).toBe("/search");
    expect(searchOfAddress({})).toEqual({ text: "", range: "24h", eventId: undefined });
  });

  test("with an unknown range has the default one", () => {
    expect(searchOfAddress({ range: "1y" }).range).toBe("24h");
    expect(searchOfAddress({ range: "constructor" }).range).toBe("24h");
  });
});

describe("the query that is sent", () => {
  test("has the range, unless the query line has times", () => {
    expect(searchedQuery({ text: "port:22", range: "6h" })).toBe("since:6h port:22");
    expect(searchedQuery({ text: "", range: "6h" })).toBe("since:6h");
    expect(searchedQuery({ text: "until:2026-11-20 port:22", range: "6h" })).toBe("until:2026-11-20 port:22");
  });

  test("has the range before a text in quotes that looks like a time", () => {
    expect(hasTimes('"since:1h"')).toBe(false);
    expect(searchedQuery({ text: '"since:1h"', range: "1h" })).toBe('since:1h "since:1h"');
  });
});

describe("times", () => {
  test("replace those of the query", () => {
    const from = Date.UTC(2026, 10, 20, 10);
    expect(withTimes("since:1h port:22 UNTIL:1m wget", from, from + 90_500)).toBe(
      "port:22 wget since:2026-11-20T10:00Z until:2026-11-20T10:01:30.500Z",
    );
  });

  test("of a range are written in whole minutes, and include now", () => {
    expect(withCustomTimes("port:22", "1h", Date.UTC(2026, 10, 20, 10, 4, 30))).toBe(
      "port:22 since:2026-11-20T09:05Z until:2026-11-20T10:05Z",
    );
  });

  test("are left out for the live tail", () => {
    expect(withoutTimes('since:1h -port:22  "a  b"')).toBe('-port:22 "a  b"');
  });
});

describe("a value", () => {
  test("is added as a term, and removed by a second click", () => {
    const added = toggleValue("wget", "port", 22, false);
    expect(added).toBe("wget port:22");
    expect(hasValue(added, "port", 22, false)).toBe(true);
    expect(toggleValue(added, "port", 22, false)).toBe("wget");
  });

  test("that is excluded replaces the term that includes it, and the other way round", () => {
    expect(toggleValue("port:22 wget", "port", 22, true)).toBe("wget -port:22");
    expect(toggleValue("-port:22 wget", "port", 22, false)).toBe("wget port:22");
    expect(toggleValue("NOT port:22 wget", "port", 22, true)).toBe("wget -port:22");
  });

  for (const value of [
    "",
    "a b",
    'a"b\\c',
    "*",
    "a,b",
    "-x",
    "since:1h",
    "\u0000\u202e\r\n",
    "<img src=x onerror=alert(1)>",
    "\ud83d\udc1d",
  ])
    test(`${JSON.stringify(value)} is searched for exactly`, () => {
      const text = toggleValue("port:22", "password", value, false);
      const parsed = parseSearchQuery(text);
      expect(parsed).toMatchObject({
        kind: "accepted",
        value: { terms: [{ column: "port" }, { column: "password", values: [{ kind: "exact", value }] }] },
      });
      expect(toggleValue(text, "password", value, false)).toBe("port:22");
    });
});
