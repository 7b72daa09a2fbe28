import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";
import { bitLengthOf, ipAddressText, isIpv4, parseIpAddress } from "../server/ip-address.ts";
import { createRandom } from "./support/random.ts";

describe("an address", () => {
  test.each([
    ["192.0.2.1", [0xc000, 0x0201], "192.0.2.1"],
    ["0.0.0.0", [0, 0], "0.0.0.0"],
    ["255.255.255.255", [0xffff, 0xffff], "255.255.255.255"],
    ["::ffff:192.0.2.1", [0xc000, 0x0201], "192.0.2.1"],
    ["::FFFF:c000:201", [0xc000, 0x0201], "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], "2001:db8::1"],
    ["1:0:0:2:0:0:0:3", [1, 0, 0, 2, 0, 0, 0, 3], "1:0:0:2::3"],
    ["::", [0, 0, 0, 0, 0, 0, 0, 0], "::"],
    ["::1", [0, 0, 0, 0, 0, 0, 0, 1], "::1"],
    ["64:ff9b::192.0.2.1", [0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x0201], "64:ff9b::c000:201"],
    ["::fffe:0:1", [0, 0, 0, 0, 0, 0xfffe, 0, 1], "::fffe:0:1"],
    ["1::ffff:0:1", [1, 0, 0, 0, 0, 0xffff, 0, 1], "1::ffff:0:1"],
  ])("%s is parsed, and written in its shortest spelling", (text, groups, shortest) => {
    const address = parseIpAddress(text);
    expect(address).toEqual(groups);
    expect(address && ipAddressText(address)).toBe(shortest);
  });

  test.each([
    "",
    "1.2.3",
    "01.2.3.4",
    "1.2.3.4:80",
    "[::1]",
    "::1%eth0",
    "1.2.3.4/8",
    " ::1",
    "unknown",
    "1".repeat(46),
  ])("%j is malformed", (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });
});

test("what is an address is what Node takes for one, without zones", () => {
  const random = createRandom(7);
  const pieces = ["1", "255", "256", "0", "01", "ffff", "2001", "12345", "g", "192.0.2.1", "", " ", "%eth0"];
  const joints = [":", ":", "::", "."];
  const wrong: string[] = [];
  let addresses = 0;
  for (let round = 0; round < 200_000; round++) {
    const spelling = [random.pick(pieces)];
    const allowed = random.pick([joints, [":"], ["."]]);
    for (let count = random.below(9); count > 0; count--)
      spelling.push(random.pick(allowed), random.pick(pieces));
    const text = spelling.join("");
    const isAddress = parseIpAddress(text) !== undefined;
    if (isAddress) addresses++;
    if (isAddress !== (isIP(text) !== 0 && !text.includes("%") && text.length <= 45)) wrong.push(text);
  }
  expect(wrong).toEqual([]);
  expect(addresses).toBeGreaterThan(100);
});

test("IPv4 has 32 bits and IPv6 has 128", () => {
  expect([isIpv4([1, 2]), bitLengthOf([1, 2])]).toEqual([true, 32]);
  expect([isIpv4([1, 2, 3, 4, 5, 6, 7, 8]), bitLengthOf([1, 2, 3, 4, 5, 6, 7, 8])]).toEqual([false, 128]);
});

test("a text is a dotted quad exactly if node:net says so", () => {
  const random = createRandom(20261125);
  const parts = ["0", "1", "9", "25", "255", "256", "00", "01", "1.2", ".", "..", "", " ", "-1", "a", ":"];
  let quads = 0;
  for (let i = 0; i < 50_000; i++) {
    const text = Array.from({ length: 3 + random.below(3) }, () => random.pick(parts)).join(".");
    const address = parseIpAddress(text);
    const isQuad = isIP(text) === 4;
    if (isQuad) quads++;
    expect(address && isIpv4(address) ? ipAddressText(address) : undefined).toBe(isQuad ? text : undefined);
  }
  expect(quads).toBeGreaterThan(100);
});
