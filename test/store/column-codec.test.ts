import { describe, expect, test } from "bun:test";
import { addressKey, addressOfKey, networkKeys } from "../../server/address-key.ts";
import { parseNetwork } from "../../server/network.ts";
import {
  type ColumnValue,
  Dictionary,
  decodeCodes,
  decodeDictionary,
  encodeCodes,
  encodeDictionary,
} from "../../server/store/column-codec.ts";

function keyOf(address: string): string {
  const key = addressKey(address);
  if (key === undefined) throw new Error(address);
  return key;
}

describe("a dictionary is read as it was written", () => {
  test.each<[string, "number" | "text" | "address", ColumnValue[]]>([
    ["numbers", "number", [0, 22, 65_535, 4_294_967_295]],
    ["texts", "text", ["", "/.env", "\u00e9", "\u{1f41d}"]],
    ["addresses", "address", ["1.2.3.4", "255.255.255.255", "2001:db8::1"].map(keyOf)],
    ["no values", "text", []],
  ])("%s", (_, kind, values) => {
    const counts = Uint32Array.from(values, (_, i) => i + 1);
    const read = decodeDictionary(kind, encodeDictionary(new Dictionary(kind, values, counts)));
    expect(Array.from({ length: read.size }, (_, code) => read.values.at(code))).toEqual(values);
    expect(read.counts).toEqual(counts);
  });
});

test("values are found by binary search", () => {
  const dictionary = new Dictionary("number", [2, 4, 6], Uint32Array.of(1, 1, 1));
  expect([1, 2, 3, 6, 7].map((value) => dictionary.lowerBound(value))).toEqual([0, 0, 1, 2, 3]);
  expect(dictionary.find(4)).toBe(1);
  expect(dictionary.find(5)).toBeUndefined();
});

test.each([0, 1, 255, 256, 16_383])("codes up to %d are read as they were written", (valueCount) => {
  const codes = Uint16Array.from({ length: 1000 }, (_, i) => (i * 7919) % (valueCount + 1));
  codes[0] = valueCount;
  expect(decodeCodes(encodeCodes(codes, valueCount), codes.length, valueCount)).toEqual(codes);
});

test("a damaged dictionary and damaged codes are refused", () => {
  const blobs = [
    encodeDictionary(new Dictionary("text", ["a", "b"], Uint32Array.of(1, 2))),
    encodeCodes(Uint16Array.of(0, 1, 1), 2),
  ];
  for (const [i, blob] of blobs.entries())
    for (let at = 0; at < blob.length; at++) {
      const damaged = Buffer.from(blob);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(() => (i === 0 ? decodeDictionary("text", damaged) : decodeCodes(damaged, 3, 2))).toThrow();
    }
});

describe("the key of an address", () => {
  test.each(["0.0.0.0", "8.8.8.8", "255.255.255.255", "2001:db8::1", "::1", "fe80::1:2:3"])(
    "%s",
    (address) => {
      expect(keyOf(address)).toHaveLength(16);
      expect(addressOfKey(keyOf(address))).toBe(address);
    },
  );

  test("orders addresses as their bytes", () => {
    const addresses = ["::1", "1.2.3.4", "1.2.3.5", "1.10.0.0", "200.0.0.0", "2001:db8::1", "2001:db9::"];
    expect(addresses.map(keyOf).toSorted()).toEqual(addresses.map(keyOf));
  });

  test("is between those of its network", () => {
    const network = parseNetwork("185.220.0.0/16");
    if (network.kind === "refused") throw new Error(network.refusal);
    const { first, last } = networkKeys(network.value);
    expect(first <= keyOf("185.220.101.1") && keyOf("185.220.101.1") <= last).toBe(true);
    expect(keyOf("185.221.0.0") > last).toBe(true);
  });
});
