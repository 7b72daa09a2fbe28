import { describe, expect, test } from "bun:test";
import { TrustedProxies } from "../../server/http/trusted-proxies.ts";
import { parseNetwork } from "../../server/network.ts";

const proxies = new TrustedProxies(
  ["10.0.0.0/8", "2001:db8:1::/48"].map((text) => {
    const network = parseNetwork(text);
    if (network.kind === "refused") throw new Error(network.refusal);
    return network.value;
  }),
);
const proxy = "10.0.0.1";

describe("the client of a request from a trusted proxy", () => {
  const cases: readonly [title: string, forwardedFor: string, client: string][] = [
    ["is the address that the proxy appended", "192.0.2.1", "192.0.2.1"],
    ["is not an address that the client wrote before it", "198.51.100.1, 192.0.2.1", "192.0.2.1"],
    ["is not a trusted address that the client wrote before it", "10.0.0.9, 192.0.2.1", "192.0.2.1"],
    ["is in front of all trusted proxies", "192.0.2.1, 10.0.0.3, 10.0.0.2", "192.0.2.1"],
    ["is behind the first proxy that is not trusted", "192.0.2.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"],
    ["is the first proxy if there are only trusted ones", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["may have an IPv6 address", "2001:db8::1", "2001:db8::1"],
    ["has one spelling", "2001:0DB8:0::0001", "2001:db8::1"],
    ["has an IPv4 address if the proxy writes it as IPv6", "::ffff:192.0.2.1", "192.0.2.1"],
    ["has no port", "192.0.2.1:65535", "192.0.2.1"],
    ["has neither brackets nor a port", "[2001:db8::1]:80", "2001:db8::1"],
    ["has no brackets", "[2001:db8::1]", "2001:db8::1"],
    ["is found behind a proxy with brackets and a port", "192.0.2.1, [2001:db8:1::5]:443", "192.0.2.1"],
    ["needs no space behind the comma", "192.0.2.9,192.0.2.1", "192.0.2.1"],
    ["follows an empty entry", ",192.0.2.1", "192.0.2.1"],
    ["is the first proxy if an empty entry precedes it", ",10.0.0.2", "10.0.0.2"],
    ["may be between blanks", "192.0.2.9 ,\t 192.0.2.1 \t", "192.0.2.1"],
  ];
  test.each(cases)("%s: %j", (_title, forwardedFor, client) => {
    expect(proxies.clientOf(proxy, forwardedFor)).toBe(client);
  });

  test.each([
    "",
    " ",
    ",",
    "192.0.2.1,",
    "192.0.2.1, ,",
    "unknown",
    "192.0.2.1, unknown",
    "_hidden",
    "192.0.2.1:",
    "192.0.2.1:http",
    "192.0.2.1:123456",
    "192.0.2.300",
    "192.0.2.1:80:80",
    "2001:db8::1::",
    "[2001:db8::1",
    "2001:db8::1]",
    "[192.0.2.1",
    "[]:80",
    "fe80::1%eth0",
    'for="192.0.2.1"',
    "example.com",
    "\u2028",
    "x".repeat(16_000),
  ])("is the proxy if the last entry is not an address: %j", (forwardedFor) => {
    expect(proxies.clientOf(proxy, forwardedFor)).toBe(proxy);
  });

  test("is the proxy if there is no header", () => {
    expect(proxies.clientOf(proxy, null)).toBe(proxy);
  });

  test("is the last proxy before an entry that is not an address", () => {
    expect(proxies.clientOf(proxy, "192.0.2.1, unknown, 10.0.0.3, 10.0.0.2")).toBe("10.0.0.3");
  });

  test("is the 32nd proxy of a longer chain", () => {
    const chain = Array.from({ length: 40 }, (_, index) => `10.0.1.${40 - index}`).join(", ");
    expect(proxies.clientOf(proxy, `192.0.2.1, ${chain}`)).toBe("10.0.1.32");
  });
});

describe("the other end of the connection is the client", () => {
  test("if it is not a trusted proxy, whatever the header says", () => {
    expect(proxies.clientOf("198.51.100.7", "192.0.2.1")).toBe("198.51.100.7");
    expect(proxies.clientOf("2001:db8:2::1", "10.0.0.1")).toBe("2001:db8:2::1");
  });

  test("unless it is a trusted proxy, also in the IPv6 spelling of a socket for both families", () => {
    expect(proxies.clientOf("::ffff:10.0.0.1", "192.0.2.1")).toBe("192.0.2.1");
    expect(proxies.clientOf("::ffff:11.0.0.1", "192.0.2.1")).toBe("::ffff:11.0.0.1");
  });

  test("and unknown if the connection is closed", () => {
    expect(proxies.clientOf(undefined, "192.0.2.1")).toBeUndefined();
  });
});
