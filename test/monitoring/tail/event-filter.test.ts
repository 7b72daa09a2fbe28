import { describe, expect, test } from "bun:test";
import { fieldsOf } from "../../../server/event/event-fields.ts";
import {
  type EventFilter,
  filterParams,
  foldCase,
  isUnfiltered,
  matches,
  parseFilter,
  searchTextOf,
} from "../../../server/monitoring/tail/event-filter.ts";

const parse = (query: string) => parseFilter(new URLSearchParams(query));

const document = {
  source: { ip: "81.2.69.142", geo: { country_iso_code: "GB" }, as: { number: 20712 } },
  destination: { port: 22 },
  tls: { client: { hash: { ja4: "t13d" } } },
  http: { request: { hash: { ja4h: "ge11" } } },
  ssh: { client: { hash: { hassh: "abcd" } } },
  network: { community_id: "1:xyz=" },
  event: { summary: "GET /Ünder HTTP/1.1\r\nHost: ΟΔΟΣ", tags: ["One", ["Two"]] },
};

function isMatch(filter: EventFilter | undefined, of: unknown = document): boolean {
  if (!filter) throw new Error("that filter is not allowed");
  return matches(filter, "vps-1", fieldsOf(of), () => searchTextOf(of));
}

test("a filter without conditions matches everything", () => {
  expect(parse("")).toEqual({});
  expect(isUnfiltered({})).toBe(true);
  expect(isUnfiltered({ port: 0 })).toBe(false);
  expect(isMatch({})).toBe(true);
});

describe("each condition is the whole value", () => {
  const cases: readonly [string, string][] = [
    ["sensor=vps-1", "sensor=vps"],
    ["country=GB", "country=SE"],
    ["country=gb", "country=gg"],
    ["asn=20712", "asn=2071"],
    ["asn=AS20712", "asn=AS20713"],
    ["port=22", "port=2222"],
    ["address=81.2.69.142", "address=81.2.69.14"],
    ["ja4=t13d", "ja4=T13D"],
    ["ja4h=ge11", "ja4h=ge1"],
    ["hassh=abcd", "hassh=abcde"],
    ["communityId=1:xyz%3D", "communityId=1:xyz"],
  ];
  for (const [fitting, other] of cases)
    test(`${fitting}, not ${other}`, () => {
      expect(isMatch(parse(fitting))).toBe(true);
      expect(isMatch(parse(other))).toBe(false);
    });

  test("an event without the value does not match", () => {
    const others = cases.map(([fitting]) => fitting).filter((query) => !query.startsWith("sensor"));
    expect(others.filter((query) => isMatch(parse(query), {}))).toEqual([]);
  });

  test("all conditions must hold", () => {
    expect(isMatch(parse("port=22&country=GB"))).toBe(true);
    expect(isMatch(parse("port=22&country=SE"))).toBe(false);
  });
});

describe("text", () => {
  for (const text of [
    "get /ünder",
    "GET",
    "ünDER",
    "http/1.1\r\nhost",
    "one",
    "TWO",
    "οδος",
    "οδοσ",
    "ΟΔΟΣ",
    "gb",
  ])
    test(`${JSON.stringify(text)} is found in a string of any depth, in any case`, () => {
      expect(isMatch(parse(`text=${encodeURIComponent(text)}`))).toBe(true);
    });

  for (const text of ["summary", "tags", "20712", "nothing", "onetwo"])
    test(`${text} is not found: keys, numbers and text across two strings are not searched`, () => {
      expect(isMatch(parse(`text=${text}`))).toBe(false);
    });

  test("text is found regardless of JSON escapes", () => {
    const escaped = JSON.parse('{"a":"\\u0026psd\\u003dAdmin\\ud83d\\ude00"}');
    expect(isMatch(parse(`text=${encodeURIComponent("&PSD=admin😀")}`), escaped)).toBe(true);
  });

  test("the text of an event is not built if another condition fails", () => {
    const filter = parse("port=23&text=get") ?? {};
    const unasked = () => {
      throw new Error("the text was requested");
    };
    expect(matches(filter, "vps-1", fieldsOf(document), unasked)).toBe(false);
  });

  test("special names such as __proto__ are ordinary keys", () => {
    const hostile = JSON.parse('{"__proto__":{"x":"Deep"},"constructor":"Ctor","toString":["S"]}');
    expect(searchTextOf(hostile).split("\0").sort()).toEqual(["ctor", "deep", "s"]);
  });

  test("a document of 100,000 levels has a text", () => {
    let deep: unknown = "Bottom";
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(searchTextOf(deep)).toBe("bottom");
  });

  test("a sigma matches at every place in a word", () => {
    expect(foldCase("ΟΔΟΣ")).toBe(foldCase("οδοσ"));
    expect(foldCase("Σ")).toBe(foldCase("ς"));
  });
});

describe("an invalid query is rejected", () => {
  for (const query of [
    "ports=22",
    "__proto__=1",
    "constructor=1",
    "toString=1",
    "PORT=22",
    "port=22&port=23",
    "port=",
    "port=-1",
    "port=65536",
    "port=022",
    "port=22.0",
    "port=0x16",
    "port=%2022",
    "asn=0",
    "asn=AS",
    "asn=9007199254740993",
    "asn=99999999999999999999",
    "country=",
    "country=SWE",
    "country=S1",
    "sensor=",
    "text=",
    "text=a%00b",
    `text=${"a".repeat(257)}`,
    `sensor=${"a".repeat(129)}`,
    `address=${"1".repeat(65)}`,
    `ja4=${"1".repeat(129)}`,
  ])
    test(query.slice(0, 40), () => expect(parse(query)).toBeUndefined());
});

test("a filter written as a query and parsed is the same filter", () => {
  const filter: EventFilter = {
    sensor: "vps&1",
    country: "SE",
    asn: 64_512,
    port: 0,
    address: "2001:db8::1",
    ja4: "t13d=x",
    ja4h: "ge 11",
    hassh: "+",
    communityId: "1:a+b/c=",
    text: "ünder & über?",
  };
  expect(parseFilter(new URLSearchParams(filterParams(filter).toString()))).toEqual(filter);
});
