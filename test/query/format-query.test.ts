import { describe, expect, test } from "bun:test";
import { columnNames } from "../../server/event/columns.ts";
import { columnQuery, formatQuery, quoteValue, quoteWord } from "../../server/query/format-query.ts";
import { createRandom, type Random } from "../support/random.ts";
import { parsed } from "./queries.ts";

test("a query is written with short names, and with quotes only where they are needed", () => {
  const text =
    'ip:185.220.0.0/16,2001:db8::1 sensor:vps-* port:22,1-5,>=1024,<=22,* -as:4134 path:"/a b"*",",/c wget "a b" "192.0.2.1" since:2026-11-20T10:00Z until:2026-11-20T10:00:30.500Z';
  expect(formatQuery(parsed(text))).toBe(text);
});

for (const [text, written] of [
  ["source.ip:0:0::1", "ip:::1"],
  ["destination.port:>1023,22-22", "port:>=1024,22"],
  ["source.as.number:AS4134", "as:4134"],
  ["NOT tags:a", "-tag:a"],
  ["WGET 10.0.0.1", "wget ip:10.0.0.1"],
  ["ip:*", "ip:0.0.0.0/0,::/0"],
  ["path:/**", "path:/*"],
  ['"-a"', '"-a"'],
  ['"a:b"', '"a:b"'],
  ['path:"\\n"', 'path:"\\u000a"'],
  ['password:""', 'password:""'],
] as const)
  test(`${text} is written as ${written}`, () => {
    expect(formatQuery(parsed(text))).toBe(written);
  });

const alphabet = [
  ..."aZ09 \t,:*?\"\\-<>()'/.@=&%_",
  "\0",
  "\n",
  "\u202e",
  "\u00ad",
  "é",
  "😀",
  "ß",
  "\ue000",
];

function anyText(random: Random): string {
  return Array.from({ length: 1 + random.below(8) }, () => random.pick(alphabet)).join("");
}

describe("whatever the text,", () => {
  test("as a value it is found exactly", () => {
    const random = createRandom(1);
    for (let round = 0; round < 5_000; round++) {
      const value = anyText(random);
      expect(parsed(`path:${quoteValue(value)}`).terms).toEqual([
        { kind: "column", column: "path", isExcluded: false, values: [{ kind: "exact", value }] },
      ]);
    }
  });

  test("as a word it is searched for as text", () => {
    const random = createRandom(2);
    for (let round = 0; round < 5_000; round++) {
      const text = anyText(random).replaceAll("\0", "").toLowerCase();
      if (text !== "")
        expect(parsed(quoteWord(text)).terms).toEqual([{ kind: "text", isExcluded: false, text }]);
    }
    for (const text of ["192.0.2.1", "10.*", "fe80::1", "not", "-a"])
      expect(parsed(quoteWord(text)).terms).toEqual([{ kind: "text", isExcluded: false, text }]);
  });
});

test("a value as it is shown makes a query of its column", () => {
  const values = { ip: "2001:db8::1", port: 22, asn: 4134, country: "CN" } as const;
  const queries = columnNames.map((name) =>
    columnQuery(name, name in values ? values[name as keyof typeof values] : "a b"),
  );
  expect(
    queries.map((query) => parsed(query).terms.map((term) => term.kind === "column" && term.column)),
  ).toEqual(columnNames.map((name) => [name]));
});
