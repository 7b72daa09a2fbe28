import { describe, expect, test } from "bun:test";
import { type EventFields, fieldsOf } from "../../server/event/event-fields.ts";

const nothing = fieldsOf(undefined);

/** The fields of a document with this text that are not undefined. */
function read(json: string): Partial<EventFields> {
  const known = Object.entries(fieldsOf(JSON.parse(json))).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known);
}

test("every field is read from its place in the document", () => {
  const document = {
    "@timestamp": "2026-11-22T16:24:59.5Z",
    tags: ["b", "a", "b", 7, ""],
    source: {
      ip: "81.2.69.142",
      geo: {
        country_iso_code: "GB",
        country_name: "United Kingdom",
        city_name: "London",
        location: { lat: 51.5, lon: -0.1 },
      },
      as: { number: 20712, organization: { name: "Andrews & Arnold" } },
    },
    destination: { port: 22 },
    url: { path: "/.env" },
    user_agent: { original: "curl/8" },
    tls: { client: { hash: { ja4: "t13d" } } },
    http: { request: { hash: { ja4h: "ge11" } } },
    ssh: { client: { hash: { hassh: "abcd" } } },
    network: { community_id: "1:xyz=" },
  };
  expect(fieldsOf(document)).toEqual({
    address: "81.2.69.142",
    port: 22,
    countryIsoCode: "GB",
    countryName: "United Kingdom",
    cityName: "London",
    location: { lat: 51.5, lon: -0.1 },
    asNumber: 20712,
    asOrganizationName: "Andrews & Arnold",
    path: "/.env",
    userAgent: "curl/8",
    ja4: "t13d",
    ja4h: "ge11",
    hassh: "abcd",
    communityId: "1:xyz=",
    timestampMs: Date.UTC(2026, 10, 22, 16, 24, 59, 500),
    tags: "a\nb",
  });
});

describe("a value that is not an object has no fields", () => {
  for (const json of ["null", "1", '"text"', "[]", "{}", '[{"source":{"ip":"1.2.3.4"}}]', '{"source":null}'])
    test(json, () => expect(read(json)).toEqual({}));

  test("undefined", () => expect(fieldsOf(undefined)).toEqual(nothing));
});

describe("only own properties of objects count", () => {
  for (const json of [
    '{"source":[{"ip":"1.2.3.4"}]}',
    '{"source":"ip"}',
    '{"__proto__":{"source":{"ip":"1.2.3.4"}}}',
    '{"source":{"__proto__":{"ip":"1.2.3.4"}}}',
    '{"constructor":{"source":{"ip":"1.2.3.4"}}}',
    '{"toString":1,"hasOwnProperty":true,"valueOf":null}',
    '{"source":{"geo":{"location":[1,2]}}}',
    '{"source":{"geo":{"location":"1,2"}}}',
  ])
    test(json, () => expect(read(json)).toEqual({}));

  test("an own property does not change Object's", () => {
    read('{"__proto__":{"source":{"ip":"1.2.3.4"}},"constructor":{"prototype":{"polluted":1}}}');
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(fieldsOf({})).toEqual(nothing);
  });
});

describe("a value of another type counts as absent", () => {
  const wrong: readonly [string, readonly string[]][] = [
    ['{"source":{"ip":?}}', ["1", "null", '""', "[]", "{}", "true"]],
    ['{"destination":{"port":?}}', ['"22"', "-1", "65536", "22.5", "1e400", "null", "[22]", "true"]],
    ['{"source":{"as":{"number":?}}}', ['"1"', "0", "-5", "1.5", "9007199254740992", "1e400"]],
    ['{"source":{"geo":{"country_iso_code":?}}}', ['"S"', '"SWE"', '"1A"', '"é1"', "5", '"S\\u0000"']],
    [
      '{"source":{"geo":{"location":?}}}',
      [
        '{"lat":91,"lon":0}',
        '{"lat":0,"lon":-181}',
        '{"lat":"1","lon":2}',
        '{"lat":1}',
        '{"lat":1e400,"lon":0}',
        "null",
      ],
    ],
    [
      '{"@timestamp":?}',
      [
        "1795365899000",
        '"yesterday"',
        '"2026"',
        '"2026-13-22T16:24:59Z"',
        '"2026-11-22 16:24:59"',
        '"2026-11-22T16:24:59"',
        `"${"2".repeat(131_072)}"`,
      ],
    ],
  ];
  for (const [document, values] of wrong)
    for (const value of values)
      test(document.replace("?", value.slice(0, 40)), () => {
        expect(read(document.replace("?", value))).toEqual({});
      });
});

test("the lowest and the highest port are valid", () => {
  expect(read('{"destination":{"port":0}}')).toEqual({ port: 0 });
  expect(read('{"destination":{"port":65535}}')).toEqual({ port: 65_535 });
});

test("0, 0 is a location", () => {
  expect(read('{"source":{"geo":{"location":{"lat":0,"lon":0}}}}')).toEqual({ location: { lat: 0, lon: 0 } });
});

test("a country code becomes upper case", () => {
  expect(read('{"source":{"geo":{"country_iso_code":"se"}}}')).toEqual({ countryIsoCode: "SE" });
});

test("a time stamp with nanoseconds and an offset is a time", () => {
  expect(read('{"@timestamp":"2026-11-22T18:24:59.123456789+02:00"}')).toEqual({
    timestampMs: Date.UTC(2026, 10, 22, 16, 24, 59, 123),
  });
});

test("the last of duplicate keys counts", () => {
  expect(read('{"source":{"ip":"1.2.3.4"},"source":{"ip":"5.6.7.8"}}')).toEqual({ address: "5.6.7.8" });
});

test("long strings are truncated", () => {
  const { path, userAgent, address } = read(
    JSON.stringify({
      url: { path: `/${"a".repeat(131_072)}` },
      user_agent: { original: "ü".repeat(131_072) },
      source: { ip: "1".repeat(131_072) },
    }),
  );
  expect(path).toBe(`/${"a".repeat(255)}`);
  expect(userAgent).toBe("ü".repeat(256));
  expect(address).toBe("1".repeat(64));
});

test("a surrogate pair is not split", () => {
  const { path } = read(JSON.stringify({ url: { path: `${"a".repeat(255)}𝄞b` } }));
  expect(path).toBe("a".repeat(255));
});

test("a lone surrogate becomes a replacement character, as it does in an address", () => {
  expect(read('{"url":{"path":"/\\ud800x"}}')).toEqual({ path: "/\ufffdx" });
});

test("64 levels of nesting are allowed", () => {
  const deep = `${'{"source":'.repeat(63)}{"ip":"1.2.3.4"}${"}".repeat(63)}`;
  expect(read(deep)).toEqual({});
});
