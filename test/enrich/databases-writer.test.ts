import { describe, expect, test } from "bun:test";
import { Reader } from "maxmind";
import { double, float, int32, uint16, uint32, uint64, type Value } from "../../scripts/mmdb/writer.ts";
import { sampleDatabase } from "../mmdb/samples.ts";

function read(database: Buffer, address: string): unknown {
  return new Reader<never>(database).get(address);
}

describe.each([24, 28, 32] as const)("a database with records of %i bits", (recordSize) => {
  const database = sampleDatabase({
    recordSize,
    networks: [
      ["81.2.0.0/16", { name: "wide" }],
      ["81.2.69.160/32", { name: "narrow" }],
      ["2a00:1450::/32", { name: "IPv6" }],
    ],
  });

  test.each([
    ["81.2.0.0", "wide"],
    ["81.2.69.159", "wide"],
    ["81.2.69.160", "narrow"],
    ["81.2.69.161", "wide"],
    ["81.2.255.255", "wide"],
    ["2a00:1450::", "IPv6"],
    ["2a00:1450:ffff:ffff:ffff:ffff:ffff:ffff", "IPv6"],
  ])("has %s in the %s network", (address, name) => {
    expect(read(database, address)).toEqual({ name } as never);
  });

  test.each(["81.1.255.255", "81.3.0.0", "2a00:144f:ffff::", "2a00:1451::"])(
    "has nothing for %s, beside a network",
    (address) => {
      expect(read(database, address)).toBeNull();
    },
  );
});

test("of nested networks the more specific one counts, in any order", () => {
  const networks: [string, Value][] = [
    ["81.2.69.0/24", "inner"],
    ["81.0.0.0/8", "outer"],
  ];
  const database = sampleDatabase({ ipVersion: 4, networks });
  expect(read(database, "81.2.69.1")).toBe("inner");
  expect(read(database, "81.2.70.1")).toBe("outer");
});

test("every type is read as it was written", () => {
  const record: Value = {
    text: "å",
    empty: "",
    long: "x".repeat(70_000),
    longer_than_a_pointer: "repeated",
    again: "repeated",
    yes: true,
    no: false,
    uint16: uint16(65_535),
    uint32: uint32(4_294_967_295),
    uint64: uint64(18_446_744_073_709_551_615n),
    zero: uint32(0),
    int32: int32(-1),
    double: double(58.4167),
    float: float(0.5),
    list: ["a", ["b"], {}],
  };
  expect(read(sampleDatabase({ networks: [["81.0.0.0/8", record]] }), "81.0.0.1")).toEqual({
    text: "å",
    empty: "",
    long: "x".repeat(70_000),
    longer_than_a_pointer: "repeated",
    again: "repeated",
    yes: true,
    no: false,
    uint16: 65_535,
    uint32: 4_294_967_295,
    uint64: 18_446_744_073_709_551_615n,
    zero: 0,
    int32: -1,
    double: 58.4167,
    float: 0.5,
    list: ["a", ["b"], {}],
  } as never);
});

test("values that are too far away for a short pointer are found", () => {
  const names = Array.from({ length: 40_000 }, (_, i) => `a name of some length, number ${i}`);
  const record = { names, again: [names[50] ?? "", names[1_000] ?? "", names[39_999] ?? ""] };
  const database = sampleDatabase({ networks: [["81.0.0.0/8", record]] });
  expect(read(database, "81.0.0.1")).toEqual(record as never);
});

test("identical records are written once", () => {
  const record = { name: "a record that is long enough to be seen in the size of the file" };
  const withOther = (other: Value) =>
    sampleDatabase({
      networks: [
        ["0.0.0.0/2", record],
        ["192.0.0.0/2", other],
      ],
    });
  // The other record takes two bytes.
  expect(withOther({ ...record }).length).toBe(withOther("x").length - 2);
});

test("neighbouring networks with the same record become one", () => {
  const record = { name: "same" };
  const networksOf = (...cidrs: string[]) =>
    sampleDatabase({ networks: cidrs.map((cidr) => [cidr, record]) });
  const whole = networksOf("81.2.0.0/16");
  expect(networksOf("81.2.0.0/17", "81.2.128.0/18", "81.2.192.0/18").equals(whole)).toBe(true);
  expect(networksOf("81.2.0.0/16", "81.2.69.0/24").equals(whole)).toBe(true);
});

test("equal parts of the tree are written once", () => {
  const content = (second: Value) =>
    sampleDatabase({
      networks: [
        ["81.2.0.0/32", "a"],
        ["81.3.0.0/32", second],
      ],
    });
  const shared = content("a");
  expect(read(shared, "81.2.0.0")).toBe("a" as never);
  expect(read(shared, "81.3.0.0")).toBe("a" as never);
  expect(read(shared, "81.2.0.1")).toBeNull();
  // The 16 nodes below 81.2.0.0/16, and the record.
  expect(content("b").length - shared.length).toBe(16 * 6 + 2);
});

test("an IPv6 network does not fit into an IPv4 database", () => {
  expect(() => sampleDatabase({ ipVersion: 4, networks: [["2a00:1450::/32", "x"]] })).toThrow(
    "2a00:1450::/32",
  );
});
