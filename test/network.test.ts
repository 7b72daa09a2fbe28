import { describe, expect, test } from "bun:test";
import { ipAddressText, parseIpAddress } from "../server/ip-address.ts";
import { NetworkSet, networkAround, parseNetwork } from "../server/network.ts";
import { createRandom } from "./support/random.ts";

/** "first - last", or why the text is refused. */
function parsed(text: string, parse = parseNetwork): string {
  const network = parse(text);
  if (network.kind === "refused") return network.refusal;
  return `${ipAddressText(network.value.first)} - ${ipAddressText(network.value.last)}`;
}

function addressOf(text: string) {
  const address = parseIpAddress(text);
  if (!address) throw new Error(`${text} is not an address`);
  return address;
}

function setOf(texts: readonly string[]): NetworkSet {
  return new NetworkSet(
    texts.map((text) => {
      const network = parseNetwork(text);
      if (network.kind === "refused") throw new Error(`${text}: ${network.refusal}`);
      return network.value;
    }),
  );
}

describe("a network", () => {
  test.each([
    ["10.0.0.0/8", "10.0.0.0 - 10.255.255.255"],
    ["192.0.2.128/25", "192.0.2.128 - 192.0.2.255"],
    ["192.0.2.1", "192.0.2.1 - 192.0.2.1"],
    ["192.0.2.1/32", "192.0.2.1 - 192.0.2.1"],
    ["0.0.0.0/0", "0.0.0.0 - 255.255.255.255"],
    ["2001:db8::/32", "2001:db8:: - 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["2001:DB8::1", "2001:db8::1 - 2001:db8::1"],
    ["fe80::/10", "fe80:: - febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["::/0", ":: - ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["::ffff:10.0.0.0/104", "10.0.0.0 - 10.255.255.255"],
    ["::ffff:0:0/96", "0.0.0.0 - 255.255.255.255"],
    ["::ffff:192.0.2.1", "192.0.2.1 - 192.0.2.1"],
  ])("%s is %s", (text, range) => {
    expect(parsed(text)).toBe(range);
  });

  test.each([
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["192.0.2.255/25", "192.0.2.128/25"],
    ["2001:db8::1/32", "2001:db8::/32"],
    ["::ffff:10.1.2.3/104", "10.0.0.0/8"],
    ["128.0.0.0/0", "0.0.0.0/0"],
  ])("%s is refused, and the reason names %s", (text, network) => {
    expect(parsed(text)).toBe(`the address has bits set behind the prefix; the network is ${network}`);
  });

  test.each([
    "",
    "/8",
    "10.0.0/8",
    "10.0.0.0/8/8",
    "example.com",
    "fe80::1%eth0",
    "10.0.0.0 /8",
    "[::1]/128",
  ])("%j is refused", (text) => {
    expect(parsed(text)).toBe("it is not an IP address or a network");
  });

  test.each([
    ["10.0.0.0/33", "0 to 32"],
    ["10.0.0.0/", "0 to 32"],
    ["10.0.0.0/08", "0 to 32"],
    ["10.0.0.0/-1", "0 to 32"],
    ["10.0.0.0/255.0.0.0", "0 to 32"],
    ["10.0.0.0/1e1", "0 to 32"],
    ["2001:db8::/129", "0 to 128"],
    ["::ffff:0:0/95", "96 to 128"],
  ])("%s is refused, and the reason says that the prefix length is from %s", (text, range) => {
    expect(parsed(text)).toBe(`the prefix length is not from ${range}`);
  });
});

describe("a set of networks", () => {
  const networks = setOf(["10.0.0.0/8", "10.1.0.0/16", "192.0.2.1", "192.0.2.4/30", "2001:db8::/32", "::1"]);

  test.each([
    "10.0.0.0",
    "10.255.255.255",
    "10.1.2.3",
    "192.0.2.1",
    "192.0.2.7",
    "::ffff:10.1.2.3",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "::1",
  ])("contains %s", (text) => {
    expect(networks.contains(addressOf(text))).toBe(true);
  });

  test.each([
    "9.255.255.255",
    "11.0.0.0",
    "192.0.2.0",
    "192.0.2.2",
    "192.0.2.8",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "::2",
    "::a00:1",
  ])("does not contain %s", (text) => {
    expect(networks.contains(addressOf(text))).toBe(false);
  });

  test("that is empty contains no address", () => {
    expect(setOf([]).contains(addressOf("10.0.0.1"))).toBe(false);
    expect(setOf([]).contains(addressOf("::1"))).toBe(false);
  });

  test("of all IPv6 addresses contains no IPv4 address, and the other way round", () => {
    expect(setOf(["::/0"]).contains(addressOf("::ffff:192.0.2.1"))).toBe(false);
    expect(setOf(["0.0.0.0/0"]).contains(addressOf("2001:db8::1"))).toBe(false);
  });

  test("answers as a search through all of its networks does", () => {
    const random = createRandom(1);
    // The networks begin below 0.16.0.0, so that many of them overlap.
    const texts = Array.from({ length: 300 }, () => {
      const bits = 18 + random.below(15);
      const size = 2 ** (32 - bits);
      const first = Math.floor(random.below(2 ** 20) / size) * size;
      return { first, last: first + size - 1, text: `${quad(first)}/${bits}` };
    });
    const set = setOf(texts.map(({ text }) => text));
    const probes = texts
      .flatMap(({ first, last }) => [first - 1, first, last, last + 1])
      .filter((n) => n >= 0);
    for (const probe of probes)
      expect([probe, set.contains(addressOf(quad(probe)))]).toEqual([
        probe,
        texts.some(({ first, last }) => first <= probe && probe <= last),
      ]);
  });
});

test("an address with bits behind the prefix is within a network", () => {
  const texts = ["192.0.2.77/24", "2001:db8::1/32", "::ffff:192.0.2.1/112", "192.0.2.1", "192.0.2.1/33"];
  expect(texts.map((text) => parsed(text, networkAround))).toEqual([
    "192.0.2.0 - 192.0.2.255",
    "2001:db8:: - 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "192.0.0.0 - 192.0.255.255",
    "192.0.2.1 - 192.0.2.1",
    "the prefix length is not from 0 to 32",
  ]);
});

function quad(address: number): string {
  return [address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff].join(".");
}
