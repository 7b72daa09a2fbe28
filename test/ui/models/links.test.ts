import { expect, test } from "bun:test";
import { columnLink, fingerprintLink, keyLink, sensorLink, tailLink } from "../../../ui/models/links.ts";

/** The query in an address of the tail. */
function queryIn(address: string): string | null {
  const { pathname, searchParams } = new URL(address, "http://loom.example");
  expect(pathname).toBe("/tail");
  return searchParams.get("q");
}

test("a sensor's id is escaped in the address of its page", () => {
  expect(sensorLink("a/b?c")).toBe("/sensors/a%2Fb%3Fc");
});

test("a query is escaped in the address of the tail", () => {
  expect(tailLink("a&b=c d")).toBe("/tail?q=a%26b%3Dc+d");
  expect(tailLink("")).toBe("/tail");
});

test("a value leads to the events that have it", () => {
  expect(queryIn(columnLink("port", 23))).toBe("port:23");
  expect(queryIn(columnLink("sensor", "a b,c"))).toBe('sensor:"a b,c"');
  expect(queryIn(columnLink("ip", "2001:db8::1"))).toBe("ip:2001:db8::1");
});

test("a source that is not an address is searched for as text", () => {
  expect(queryIn(columnLink("ip", "a:b"))).toBe('"a:b"');
});

test("a key that may have been cut leads to the values that begin with it", () => {
  expect(queryIn(keyLink("path", "/a b"))).toBe('path:"/a b"');
  const long = `/${"a".repeat(199)}`;
  expect(queryIn(keyLink("path", long))).toBe(`path:${long}*`);
});

for (const [key, query] of [
  ["ja4:t13d_abc", "ja4:t13d_abc"],
  ["ja4h:ge11nn", "ja4h:ge11nn"],
  ["hassh:0a07365c", "hassh:0a07365c"],
  ["other:a:b", '"a:b"'],
] as const)
  test(`the fingerprint ${key} leads to ${query}`, () => {
    expect(queryIn(fingerprintLink(key))).toBe(query);
  });
