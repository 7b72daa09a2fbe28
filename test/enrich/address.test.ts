import { describe, expect, test } from "bun:test";
import { parseAddress, parsePublicAddress } from "../../server/enrich/address.ts";

/** A range that is not public: its first and last address, and its public neighbours if it has any. */
interface Range {
  readonly name: string;
  readonly first: string;
  readonly last: string;
  readonly before?: string;
  readonly after?: string;
}

const ranges: Range[] = [
  { name: "this network", first: "0.0.0.0", last: "0.255.255.255", after: "1.0.0.0" },
  {
    name: "private 10/8",
    first: "10.0.0.0",
    last: "10.255.255.255",
    before: "9.255.255.255",
    after: "11.0.0.0",
  },
  {
    name: "carrier-grade NAT",
    first: "100.64.0.0",
    last: "100.127.255.255",
    before: "100.63.255.255",
    after: "100.128.0.0",
  },
  {
    name: "loopback",
    first: "127.0.0.0",
    last: "127.255.255.255",
    before: "126.255.255.255",
    after: "128.0.0.0",
  },
  {
    name: "link-local",
    first: "169.254.0.0",
    last: "169.254.255.255",
    before: "169.253.255.255",
    after: "169.255.0.0",
  },
  {
    name: "private 172.16/12",
    first: "172.16.0.0",
    last: "172.31.255.255",
    before: "172.15.255.255",
    after: "172.32.0.0",
  },
  {
    name: "protocol assignments",
    first: "192.0.0.0",
    last: "192.0.0.255",
    before: "191.255.255.255",
    after: "192.0.1.0",
  },
  {
    name: "TEST-NET-1",
    first: "192.0.2.0",
    last: "192.0.2.255",
    before: "192.0.1.255",
    after: "192.0.3.0",
  },
  {
    name: "private 192.168/16",
    first: "192.168.0.0",
    last: "192.168.255.255",
    before: "192.167.255.255",
    after: "192.169.0.0",
  },
  {
    name: "benchmarking",
    first: "198.18.0.0",
    last: "198.19.255.255",
    before: "198.17.255.255",
    after: "198.20.0.0",
  },
  {
    name: "TEST-NET-2",
    first: "198.51.100.0",
    last: "198.51.100.255",
    before: "198.51.99.255",
    after: "198.51.101.0",
  },
  {
    name: "TEST-NET-3",
    first: "203.0.113.0",
    last: "203.0.113.255",
    before: "203.0.112.255",
    after: "203.0.114.0",
  },
  { name: "multicast", first: "224.0.0.0", last: "239.255.255.255", before: "223.255.255.255" },
  { name: "reserved and broadcast", first: "240.0.0.0", last: "255.255.255.255" },
  { name: "everything before global unicast", first: "::", last: "1fff:ffff::ffff", after: "2000::" },
  { name: "IPv6 loopback and IPv4-compatible", first: "::1", last: "::ffff:ffff" },
  { name: "discard", first: "100::", last: "100::ffff:ffff:ffff:ffff" },
  { name: "NAT64 for local use", first: "64:ff9b:1::", last: "64:ff9b:1:ffff:ffff:ffff:ffff:ffff" },
  {
    name: "IPv6 protocol assignments and Teredo",
    first: "2001::",
    last: "2001:1ff:ffff::ffff",
    before: "2000:ffff::ffff",
    after: "2001:200::",
  },
  {
    name: "IPv6 documentation 2001:db8::/32",
    first: "2001:db8::",
    last: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    before: "2001:db7:ffff::ffff",
    after: "2001:db9::",
  },
  {
    name: "IPv6 documentation 3fff::/20",
    first: "3fff::",
    last: "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
    before: "3ffe:ffff::ffff",
    after: "3fff:1000::",
  },
  {
    name: "everything past global unicast",
    first: "4000::",
    last: "fbff:ffff::ffff",
    before: "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  },
  { name: "unique local", first: "fc00::", last: "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
  { name: "IPv6 link-local", first: "fe80::", last: "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
  { name: "site-local", first: "fec0::", last: "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
  { name: "IPv6 multicast", first: "ff00::", last: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
];

describe("addresses that are not public", () => {
  test.each(ranges)("$name: $first to $last is not public", ({ first, last }) => {
    expect([first, last].map(parsePublicAddress)).toEqual([undefined, undefined]);
  });

  const neighbours = ranges.flatMap(({ name, before, after }) =>
    [before, after].filter((address) => address !== undefined).map((address) => ({ name, address })),
  );
  test.each(neighbours)("$address, next to $name, is public", ({ address }) => {
    expect(parsePublicAddress(address)).toBeDefined();
  });

  test.each([
    ["IPv4-mapped", "::ffff:10.0.0.1", "::ffff:a00:1"],
    ["NAT64", "64:ff9b::192.168.0.1", "64:ff9b::c0a8:1"],
    ["6to4", "2002:7f00:1::", "2002:c0a8:1::1"],
  ])("%s addresses of private machines are not public", (_name, first, second) => {
    expect([first, second].map(parsePublicAddress)).toEqual([undefined, undefined]);
  });
});

describe("spellings", () => {
  test("IPv4 comes back as it is", () => {
    expect(parsePublicAddress("81.2.69.160")).toBe("81.2.69.160");
  });

  test.each([
    "2a00:1450:0:0:0:0:0:8",
    "2a00:1450::8",
    "2A00:1450::0008",
    "2a00:1450:0::0:8",
    "2a00:1450::0.0.0.8",
    "2a00:1450:0000:0000:0000:0000:0.0.0.8",
  ])("%s and the other spellings of one IPv6 address come back the same", (text) => {
    expect(parsePublicAddress(text)).toBe("2a00:1450:0:0:0:0:0:8");
  });

  test("an address that ends in :: comes back in full", () => {
    expect(parsePublicAddress("2a00:1450:1:2:3:4:5::")).toBe("2a00:1450:1:2:3:4:5:0");
  });

  test.each([
    ["IPv4-mapped", "::ffff:81.2.69.160"],
    ["IPv4-mapped in hexadecimal", "::ffff:5102:45a0"],
    ["IPv4-mapped in capitals and in full", "0:0:0:0:0:FFFF:81.2.69.160"],
    ["NAT64", "64:ff9b::81.2.69.160"],
    ["NAT64 in hexadecimal", "64:ff9b::5102:45a0"],
    ["6to4", "2002:5102:45a0::1"],
  ])("%s (%s) becomes its IPv4 form", (_name, text) => {
    expect(parsePublicAddress(text)).toBe("81.2.69.160");
  });
});

describe("malformed addresses", () => {
  test.each([
    "",
    "81.2.69",
    "81.2.69.160.1",
    "81.2.69.256",
    "81.2.69.0160",
    "081.2.69.160",
    "0x51.2.69.160",
    "1358054816",
    "81.2.69.160:443",
    " 81.2.69.160",
    "81.2.69.160 ",
    "81.2.69.160\n",
    "81.2.69.160/32",
    "８１.2.69.160",
    "2a00:1450::8%eth0",
    "[2a00:1450::8]",
    "2a00:1450::8::1",
    "2a00:1450:::8",
    "2a00:1450:1:2:3:4:5",
    "2a00:1450:1:2:3:4:5:6:7",
    "2a00:1450::12345",
    "2a00:1450::81.2.69.256",
    "2a00:1450::81.2.69",
    "::ffff:81.2.69.0160",
    ":2a00:1450::8",
    "example.com",
  ])("%j is malformed", (text) => {
    expect(parsePublicAddress(text)).toBeUndefined();
  });
});

describe("an address that is not public", () => {
  test.each([
    ["10.1.2.3", "10.1.2.3"],
    ["::ffff:192.168.1.1", "192.168.1.1"],
    ["64:ff9b::10.1.2.3", "10.1.2.3"],
    ["FD00:1::ABCD", "fd00:1:0:0:0:0:0:abcd"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["81.2.69.1", "81.2.69.1"],
  ])("%s is normalised for an operator's own database as %s", (text, normalised) => {
    expect(parseAddress(text)).toBe(normalised);
  });

  test.each(["10.1.2", "10.1.2.3/8", "fe80::1%eth0", "", "x".repeat(46)])("%p is malformed", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});
