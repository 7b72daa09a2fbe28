import { describe, expect, test } from "bun:test";
import { hasValidHost, hostName } from "../../server/http/host.ts";

const requestTo = (host: string) => new Request("http://loom.example/", { headers: { host } });

describe("a Host header", () => {
  for (const [host, name] of [
    ["loom.example", "loom.example"],
    ["LOOM.example.:8443", "loom.example"],
    ["a", "a"],
    ["192.0.2.1:80", "192.0.2.1"],
    ["[::1]", "::1"],
    ["[2001:DB8::1]:8443", "2001:db8::1"],
    ["my_host-1", "my_host-1"],
    ["loom.example:", "loom.example"],
  ] as const)
    test(`"${host}" is valid and names ${name}`, () => {
      expect([hasValidHost(requestTo(host)), hostName(requestTo(host))]).toEqual([true, name]);
    });

  for (const host of [
    "loom.example, evil.example",
    "loom.example, loom.example",
    ", a",
    "loom.example/a/b",
    "user:password@loom.example",
    "user@loom.example",
    "loom.example?x",
    "loom.example#x",
    "loom example",
    "http://loom.example",
    "loom.example:http",
    "::1",
    "[::1",
    "a\\b",
    "<a>",
  ])
    test(`"${host}" is not valid and names nothing`, () => {
      expect([hasValidHost(requestTo(host)), hostName(requestTo(host))]).toEqual([false, undefined]);
    });

  test("may be missing or empty, which names nothing", () => {
    for (const request of [new Request("http://loom.example/"), requestTo("")])
      expect([hasValidHost(request), hostName(request)]).toEqual([true, undefined]);
  });
});
