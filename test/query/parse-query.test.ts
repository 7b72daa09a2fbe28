import { describe, expect, test } from "bun:test";
import { addressKey, addressOfKey } from "../../server/address-key.ts";
import { maxQueryLength, maxTerms, maxValues, parseQuery } from "../../server/query/parse-query.ts";
import type { QueryTerm, ValuePattern } from "../../server/query/query.ts";
import { errorOf, now, parsed } from "./queries.ts";

/** A pattern as it is easily read: addresses as text, ranges as pairs. */
function readable(pattern: ValuePattern): unknown {
  if (pattern.kind === "exact") return isKey(pattern.value) ? addressOfKey(pattern.value) : pattern.value;
  if (pattern.kind === "wildcard") return { like: pattern.pattern };
  if (pattern.kind === "range") return [pattern.min, pattern.max];
  return [addressOfKey(pattern.first), addressOfKey(pattern.last)];
}

function isKey(value: string | number): value is string {
  return typeof value === "string" && value.length === 16 && value.charCodeAt(0) < 0xff;
}

function readableTerm(term: QueryTerm): unknown {
  const sign = term.isExcluded ? "-" : "";
  return term.kind === "text"
    ? sign + term.text
    : [sign + term.column, ...term.values.map((pattern) => readable(pattern))];
}

const termsOf = (text: string) => parsed(text).terms.map(readableTerm);

test("all terms of a query are read, each with its kind", () => {
  const text =
    'ip:185.220.0.0/16 sensor:vps-* port:22,2222 country:CN as:4134 -ja4h:po11* path:/.env user:root "Wget HTTP" since:24h';
  expect(termsOf(text)).toEqual([
    ["ip", ["185.220.0.0", "185.220.255.255"]],
    ["sensor", { like: "vps-*" }],
    ["port", 22, 2222],
    ["country", "CN"],
    ["asn", 4134],
    ["-ja4h", { like: "po11*" }],
    ["path", "/.env"],
    ["user", "root"],
    "wget http",
  ]);
  expect(parsed(text).since).toBe(now - 86_400_000);
  expect(parsed(text).until).toBeUndefined();
});

test("an empty query has no terms", () => {
  expect([parsed(""), parsed(" \t ")]).toEqual(
    Array(2).fill({ terms: [], since: undefined, until: undefined }),
  );
});

for (const [text, ...terms] of [
  ["source.ip:192.0.2.1 SRC:192.0.2.1", ["ip", "192.0.2.1"], ["ip", "192.0.2.1"]],
  ["ip:::ffff:192.0.2.1", ["ip", "192.0.2.1"]],
  ["ip:2001:DB8:0::1,::", ["ip", "2001:db8::1", "::"]],
  ["ip:192.0.2.77/24", ["ip", ["192.0.2.0", "192.0.2.255"]]],
  ["ip:192.0.2.1/32", ["ip", "192.0.2.1"]],
  ["ip:2001:db8::/127", ["ip", ["2001:db8::", "2001:db8::1"]]],
  [
    "ip:10.*,10.1.*.*,10.1.2.*",
    ["ip", ["10.0.0.0", "10.255.255.255"], ["10.1.0.0", "10.1.255.255"], ["10.1.2.0", "10.1.2.255"]],
  ],
  ["ip:2001:db8:*", ["ip", ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"]]],
  ["ip:*", ["ip", ["0.0.0.0", "255.255.255.255"], ["::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]]],
  ["port:1-1023,>1023,>=9000", ["port", [1, 1023], [1024, 65_535], [9000, 65_535]]],
  ["port:<22,<=22,22-22,*", ["port", [0, 21], [0, 22], 22, [0, 65_535]]],
  ["as:AS4134,as4134,64512-AS65534", ["asn", 4134, 4134, [64_512, 65_534]]],
  ["country:cn,c?", ["country", "CN", { like: "C?" }]],
  ["path://a", ["path", "//a"]],
  ["url.path:/a?b*", ["path", { like: "/a?b*" }]],
  ['path:"/a*b"', ["path", "/a*b"]],
  ['path:"/a*"*,/b', ["path", { like: "/a\\**" }, "/b"]],
  ["user:ro\\ot,ro\\*", ["user", "ro\\ot", { like: "ro\\\\*" }]],
  ['path:"/a b",/c"d, "e', ["path", "/a b", "/cd, e"]],
  ['agent:"a\\"\\\\\\n\\t\\x41\\u00e9\\*"', ["user_agent", 'a"\\\n\tAé*']],
  ['password:"" user.name:""', ["password", ""], ["user", ""]],
  ["tags:scanner", ["tags", "scanner"]],
] as const)
  test(`${text} is read`, () => {
    expect<unknown>(termsOf(text)).toEqual(terms);
  });

test("a path longer than paths are stored finds the paths that begin like it", () => {
  expect(parsed(`path:${"/".repeat(400)}`)).toEqual(parsed(`path:${"/".repeat(256)}`));
});

describe("a word", () => {
  for (const [text, ...terms] of [
    ["GET /a?b=*,c", "get", "/a?b=*,c"],
    ["http://192.0.2.1/x", "http://192.0.2.1/x"],
    ['{"a":1}', '{"a":1}'],
    ["$(jndi:ldap)", "$(jndi:ldap)"],
    ["12:34", "12:34"],
    ["() { :;};", "()", "{", ":;};"],
    ['"a: \\"B\\""', 'a: "b"'],
    ['-wget -"a b" NOT curl', "-wget", "-a b", "-curl"],
    ["a AND b and", "a", "b", "and"],
    ['"OR" "NOT"', "or", "not"],
    ["--help", "--help"],
    ["*", "*"],
    ["ΟΔΟΣ", "οδοσ"],
  ] as const)
    test(`${text} is searched for as text`, () => {
      expect<unknown>(termsOf(text)).toEqual(terms);
    });

  for (const [text, term] of [
    ["192.0.2.1", ["ip", "192.0.2.1"]],
    ["-2001:db8::1", ["-ip", "2001:db8::1"]],
    ["fe80::1", ["ip", "fe80::1"]],
    ["192.0.2.0/24", ["ip", ["192.0.2.0", "192.0.2.255"]]],
    ["192.0.2.*", ["ip", ["192.0.2.0", "192.0.2.255"]]],
    ["NOT 192.0.2.1", ["-ip", "192.0.2.1"]],
    ['"192.0.2.1"', "192.0.2.1"],
  ] as const)
    test(`${text} ${typeof term === "string" ? "in quotes is text" : "is an address"}`, () => {
      expect<unknown>(termsOf(text)).toEqual([term]);
    });
});

describe("a time", () => {
  for (const [text, iso] of [
    ["15m", "2026-11-20T09:45:00.000Z"],
    ["90s", "2026-11-20T09:58:30.000Z"],
    ["24h", "2026-11-19T10:00:00.000Z"],
    ["7d", "2026-11-13T10:00:00.000Z"],
    ["2w", "2026-11-06T10:00:00.000Z"],
    ["2026-11-20", "2026-11-20T00:00:00.000Z"],
    ["2026-11-20T10:00", "2026-11-20T10:00:00.000Z"],
    ["2026-11-20t10:00:30.5z", "2026-11-20T10:00:30.500Z"],
    ["2026-11-20T10:00+02:00", "2026-11-20T08:00:00.000Z"],
    ['"2026-11-20 10:00"', "2026-11-20T10:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["999999w", "1970-01-01T00:00:00.000Z"],
  ] as const)
    test(`${text} is ${iso}`, () => {
      expect(new Date(parsed(`since:${text}`).since ?? Number.NaN).toISOString()).toBe(iso);
    });

  test("until is read too, and both together", () => {
    expect(parsed("until:1h since:2h")).toEqual({
      terms: [],
      since: now - 7_200_000,
      until: now - 3_600_000,
    });
  });
});

describe("a wrong query is refused, and its wrong part is pointed out:", () => {
  for (const [text, part, message, suggestion] of [
    ["a prot:22", "prot", /no field "prot"/, "port"],
    ["source.port:22", "source.port", /no field/, "source.ip"],
    ["-jndi:ldap://x", "jndi:ldap://x", /in quotes/, '"jndi:ldap://x"'],
    ["@timestamp:1h", "@timestamp", /no field/, "since"],
    ["ip:1.2.3.4,300.1.2.3", "300.1.2.3", /not an IP address/],
    ["ip:1.2.3.4/33", "1.2.3.4/33", /from 0 to 32/],
    ["ip:10.*.1.*", "10.*.1.*", /not an IP address/],
    ["ip:fe80::1%eth0", "fe80::1%eth0", /not an IP address/],
    ["port:65536", "65536", /from 0 to 65535/],
    ["port:22,ssh", "ssh", /not a port/],
    ["port:-22", "-22", /not a port/],
    ["port:0x16", "0x16", /not a port/],
    ["port:22*", "22*", /not a port/],
    ["port:>65535", ">65535", /from 0 to 65535/],
    ["port:<0", "<0", /from 0 to 65535/],
    ["port:80-22", "80-22", /ends before it begins/, "22-80"],
    ["as:0", "0", /from 1/],
    ["as:9007199254740993", "9007199254740993", /AS number/],
    ["as:ASN", "ASN", /not an AS number/],
    ["country:Sweden", "Sweden", /two letters/],
    ["ip: 1.2.3.4", "", /value is missing/],
    ["port:22,", "", /value is missing/],
    ["port:,22", "", /value is missing/],
    ['path:""', '""', /value is missing/],
    ['user:a "b', '"b', /no end/, '"b"'],
    ['path:"b', '"b', /no end/, '"b"'],
    ['"a\\q"', "\\", /backslash/, "\\\\"],
    ['"a\\', "\\", /backslash/, "\\\\"],
    ['"a"b', "b", /blank is missing/, " b"],
    ['""', '""', /empty/],
    ['"\\u0000"', '"\\u0000"', /U\+0000/],
    ["a -", "-", /excludes nothing/],
    ["NOT", "NOT", /excludes nothing/],
    ["NOT -a", "NOT", /excludes nothing/],
    ["a OR b", "OR", /commas/],
    ["since:yesterday", "yesterday", /not a time/],
    ["since:2026-02-30", "2026-02-30", /not a time/],
    ["since:2026-13-01", "2026-13-01", /not a time/],
    ["since:2026-11-20T25:00", "2026-11-20T25:00", /not a time/],
    ["since:", "", /not a time/],
    ["since:1h,2h", "2h", /one time/],
    ["since:1h since:2h", "since:2h", /twice/],
    ["-since:1h", "-since:1h", /excluded/, "until:"],
    ["since:1h until:2h", "until:2h", /not before/],
    ["until:2026-11-20 since:2026-11-20", "since:2026-11-20", /not before/],
  ] as const)
    test(text, () => {
      const error = errorOf(text);
      expect(text.slice(error.start, error.start + error.length)).toBe(part);
      expect(error.message).toMatch(message);
      expect(error.suggestion).toBe(suggestion);
    });

  test("since in a query about new events", () => {
    expect(errorOf("port:22 since:1h", false)).toMatchObject({
      start: 8,
      length: 8,
      message: expect.stringContaining("from now on"),
    });
  });

  test("a control character in a wrong part is not repeated", () => {
    expect(errorOf("port:\u001b[31m\u202e").message).toContain('"\\u001b[31m\\u202e"');
  });
});

describe("the size of a query is bounded:", () => {
  test("its length", () => {
    expect(parsed("a".repeat(maxQueryLength)).terms.length).toBe(1);
    expect(errorOf("a".repeat(maxQueryLength + 1))).toMatchObject({ start: maxQueryLength, length: 1 });
  });

  test("the number of its terms", () => {
    const terms = Array<string>(maxTerms).fill("a").join(" ");
    expect(parsed(terms).terms.length).toBe(maxTerms);
    expect(errorOf(`${terms} b`)).toMatchObject({
      start: terms.length + 1,
      message: expect.stringContaining("64 terms"),
    });
  });

  test("the number of its values", () => {
    const values = Array<string>(maxValues).fill("1").join();
    expect(parsed(`port:${values}`).terms.length).toBe(1);
    expect(errorOf(`port:${values} as:1`).message).toContain("256 values");
  });
});

test("a query of the most repeated wildcards is compiled and answered at once", () => {
  expect(parseQuery(`path:${"*a".repeat(990)}`, { now }).kind).toBe("accepted");
});

test("the keys of addresses are compared, not their spellings", () => {
  const [term] = parsed("ip:0:0:0:0:0:ffff:c000:201").terms;
  expect(term).toMatchObject({ values: [{ kind: "exact", value: addressKey("192.0.2.1") }] });
});
