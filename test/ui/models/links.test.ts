import { expect, test } from "bun:test";
import { fingerprintLink, sensorLink, tailLink } from "../../../ui/models/links.ts";

test("a sensor's id is escaped in the address of its page", () => {
  expect(sensorLink("a/b?c")).toBe("/sensors/a%2Fb%3Fc");
});

test("a filter's value is escaped in the address of the tail", () => {
  expect(tailLink("text", "a&b=c d")).toBe("/tail?text=a%26b%3Dc+d");
});

for (const [key, address] of [
  ["ja4:t13d_abc", "/tail?ja4=t13d_abc"],
  ["ja4h:ge11nn", "/tail?ja4h=ge11nn"],
  ["hassh:0a07365c", "/tail?hassh=0a07365c"],
  ["other:a:b", "/tail?text=a%3Ab"],
] as const)
  test(`the fingerprint ${key} leads to ${address}`, () => {
    expect(fingerprintLink(key)).toBe(address);
  });
