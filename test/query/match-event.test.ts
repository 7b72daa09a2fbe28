import { describe, expect, test } from "bun:test";
import { addressKey, networkKeys } from "../../server/address-key.ts";
import { type ColumnName, type ColumnValues, columnNames } from "../../server/event/columns.ts";
import { parseNetwork } from "../../server/network.ts";
import { compileQuery, isUnfiltered, readsSearchText } from "../../server/query/match-event.ts";
import type { Query, QueryTerm, ValuePattern } from "../../server/query/query.ts";

const none = Object.fromEntries(columnNames.map((name) => [name, undefined])) as ColumnValues;
const event: ColumnValues = {
  ...none,
  sensor: "vps-1",
  ip: addressKey("185.220.101.7"),
  port: 2222,
  path: "/.env",
  tags: "scanner\nshodan",
};
const text = "GET /.env\0wget http://x/".toLowerCase();

function queryOf(terms: readonly QueryTerm[], since?: number, until?: number): Query {
  return { terms, since, until };
}

function column(name: ColumnName, values: readonly ValuePattern[], isExcluded = false): QueryTerm {
  return { kind: "column", column: name, isExcluded, values };
}

function word(text: string, isExcluded = false): QueryTerm {
  return { kind: "text", text, isExcluded };
}

function exact(...values: (string | number)[]): ValuePattern[] {
  return values.map((value) => ({ kind: "exact", value }));
}

function network(text: string): ValuePattern {
  const parsed = parseNetwork(text);
  if (parsed.kind === "refused") throw new Error(parsed.refusal);
  return { kind: "network", ...networkKeys(parsed.value) };
}

function isMatch(terms: readonly QueryTerm[], values = event): boolean {
  return compileQuery(queryOf(terms))(1000, values, () => text);
}

test("an event matches a query without terms", () => {
  expect(isMatch([])).toBe(true);
  expect([queryOf([]), queryOf([], 1), queryOf([word("a")])].map(isUnfiltered)).toEqual([true, false, false]);
});

test("all terms have to match", () => {
  expect(isMatch([column("port", exact(2222)), column("sensor", exact("vps-1")), word("wget")])).toBe(true);
  expect(isMatch([column("port", exact(2222)), column("sensor", exact("vps-2"))])).toBe(false);
});

describe("a column term", () => {
  test("matches if one of its values does, whatever kinds they are of", () => {
    const port = [...exact(22, 23), { kind: "range", min: 2000, max: 3000 } as const];
    expect(isMatch([column("port", port)])).toBe(true);
    expect(isMatch([column("port", exact(22, 2222))])).toBe(true);
    expect(isMatch([column("port", exact(22, 23))])).toBe(false);
  });

  test("of a range includes both ends", () => {
    const ports = [2221, 2222, 2223, 2224].map((port) => ({ ...none, port }));
    const term = column("port", [{ kind: "range", min: 2222, max: 2223 }]);
    expect(ports.map((values) => isMatch([term], values))).toEqual([false, true, true, false]);
  });

  test("of a pattern matches the whole value, with case", () => {
    const patterns = ["/.e*", "/.E*", "env", "/.en?"].map((pattern) => [
      column("path", [{ kind: "wildcard", pattern }]),
    ]);
    expect(patterns.map((terms) => isMatch(terms))).toEqual([true, false, false, true]);
  });

  test("of a network matches the addresses of its family", () => {
    const all = [network("0.0.0.0/0"), network("::/0"), network("185.220.0.0/16"), network("10.0.0.0/8")];
    const v6 = { ...none, ip: addressKey("2001:db8::1") };
    expect(all.map((one) => isMatch([column("ip", [one])]))).toEqual([true, false, true, false]);
    expect(all.map((one) => isMatch([column("ip", [one])], v6))).toEqual([false, true, false, false]);
  });

  test("of an event without a value does not match, and matches if it is excluded", () => {
    const any: ValuePattern = { kind: "wildcard", pattern: "*" };
    expect(isMatch([column("ja4", [any])])).toBe(false);
    expect(isMatch([column("ja4", [any], true)])).toBe(true);
    expect(isMatch([column("path", [any], true)])).toBe(false);
  });

  test("of tags matches if one of the tags does, and not across two of them", () => {
    const wildcard = (pattern: string) => [column("tags", [{ kind: "wildcard", pattern }])];
    expect(isMatch([column("tags", exact("shodan"))])).toBe(true);
    expect(isMatch([column("tags", exact("scanner\nshodan"))])).toBe(false);
    expect(isMatch([column("tags", exact("shodan"), true)])).toBe(false);
    expect([isMatch(wildcard("sho*")), isMatch(wildcard("sc*n"))]).toEqual([true, false]);
  });
});

describe("a text term", () => {
  test("matches a part of the search text, and excluded everything else", () => {
    expect([isMatch([word("wget http")]), isMatch([word("curl")])]).toEqual([true, false]);
    expect([isMatch([word("wget http", true)]), isMatch([word("curl", true)])]).toEqual([false, true]);
  });

  test("is examined last: the search text of an event that does not match otherwise is not built", () => {
    const query = queryOf([word("wget"), column("port", exact(22))]);
    const isFound = compileQuery(query)(1000, event, () => {
      throw new Error("built");
    });
    expect(isFound).toBe(false);
    expect([readsSearchText(query), readsSearchText(queryOf([column("port", exact(22))]))]).toEqual([
      true,
      false,
    ]);
  });
});

test("values of columns that the query does not name are not read", () => {
  const values: ColumnValues = {
    ...none,
    port: 22,
    get payload(): string {
      throw new Error("read");
    },
  };
  expect(isMatch([column("port", exact(22))], values)).toBe(true);
});

test("since is inclusive, until is exclusive", () => {
  const isWithin = compileQuery(queryOf([], 1000, 2000));
  expect([999, 1000, 1999, 2000].map((at) => isWithin(at, event, () => text))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
