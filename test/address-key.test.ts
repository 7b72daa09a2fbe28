import { expect, test } from "bun:test";
import { addressKey, addressOfKey, isIpv4Key, networkKeys } from "../server/address-key.ts";
import { parseNetwork } from "../server/network.ts";

const ascending = [
  "::",
  "::fffe:ffff:ffff",
  "0.0.0.0",
  "9.255.0.1",
  "10.0.0.0",
  "255.255.255.255",
  "::1:0:0:0",
  "2001:db8::1",
  "ff02::1",
];

test("a key has 16 characters, and is that of one address", () => {
  const keys = ascending.map((text) => addressKey(text) ?? "");
  expect(keys.map((key) => key.length)).toEqual(ascending.map(() => 16));
  expect(keys.map(addressOfKey)).toEqual(ascending);
  expect(addressKey("::ffff:10.0.0.0")).toBe(addressKey("10.0.0.0"));
  expect(addressKey("10.0.0")).toBeUndefined();
});

test("keys are in the order of the addresses, and those of IPv4 are told apart", () => {
  const keys = ascending.map((text) => addressKey(text) ?? "");
  expect(keys.toSorted()).toEqual(keys);
  expect(keys.map(isIpv4Key)).toEqual(ascending.map((text) => text.includes(".")));
});

test("the keys of a network are those of its first and its last address", () => {
  const network = parseNetwork("10.1.0.0/16");
  const keys = network.kind === "accepted" ? networkKeys(network.value) : { first: "", last: "" };
  expect([keys.first, keys.last].map(addressOfKey)).toEqual(["10.1.0.0", "10.1.255.255"]);
});
