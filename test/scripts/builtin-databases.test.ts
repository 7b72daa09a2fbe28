import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Reader } from "maxmind";
import { asnDatabase, countryDatabase, makeBuiltinDatabases } from "../../scripts/builtin-databases.ts";
import { sampleDatabase } from "../mmdb/samples.ts";

// The databases take some seconds to make if they are not in the cache.
setDefaultTimeout(60_000);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-builtin-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const ipv4Rows = ['16777216,16777471,13335,"Cloudflare, Inc."', '16777472,16778240,64496,A "B" C', ""].join(
  "\n",
);
// 2001:200:: to 2001:200:1:ffff:ffff:ffff:ffff:ffff
const ipv6Rows =
  '42540528726795050063891204319802818560,42540528726797467915530433578152230911,2500,"Ä ""WIDE"" Project"\r\n';

test("ranges of addresses become networks, with the names of their organizations", () => {
  const paths = [fileWith("4.csv", ipv4Rows), fileWith("6.csv", ipv6Rows)];
  const reader = new Reader<never>(Buffer.from(asnDatabase(paths)));
  const numberOf = (address: string) =>
    (reader.get(address) as Record<string, unknown> | null)?.autonomous_system_number;
  expect(reader.get("1.0.0.255")).toEqual({
    autonomous_system_number: 13335,
    autonomous_system_organization: "Cloudflare, Inc.",
  } as never);
  expect(reader.get("2001:200::1")).toEqual({
    autonomous_system_number: 2500,
    autonomous_system_organization: 'Ä "WIDE" Project',
  } as never);
  expect(["0.255.255.255", "1.0.0.0", "1.0.1.0", "1.0.4.0", "1.0.4.1"].map(numberOf)).toEqual([
    undefined,
    13335,
    64496,
    64496,
    undefined,
  ]);
  expect(["2001:1ff::", "2001:200::", "2001:200:1:ffff::", "2001:200:2::"].map(numberOf)).toEqual([
    undefined,
    2500,
    2500,
    undefined,
  ]);
});

test("a line that is not a range is an error with its text", () => {
  const path = fileWith("wrong.csv", "16777216,16777471\n");
  expect(() => asnDatabase([path])).toThrow(`${path}: cannot read the line "16777216,16777471"`);
});

test("countries keep their networks", () => {
  const networks = [
    ["1.0.0.0/24", { country_code: "AU" }],
    ["1.0.1.0/24", { country_code: "AU" }],
    ["2001:200::/32", { country_code: "JP" }],
  ] as const;
  const path = fileWith("country.mmdb", sampleDatabase({ networks }));
  const reader = new Reader<never>(Buffer.from(countryDatabase([path])));
  expect(["1.0.0.1", "1.0.1.255", "2001:200:ffff::"].map((address) => reader.get(address))).toEqual([
    { country_code: "AU" },
    { country_code: "AU" },
    { country_code: "JP" },
  ] as never);
  expect(["0.255.255.255", "1.0.2.0", "2001:201::"].map((address) => reader.get(address))).toEqual([
    null,
    null,
    null,
  ]);
});

test("the same sources give the same bytes", () => {
  const paths = [fileWith("4.csv", ipv4Rows), fileWith("6.csv", ipv6Rows)];
  expect(Buffer.from(asnDatabase(paths)).equals(asnDatabase(paths))).toBe(true);
});

test("the databases that the executable contains are small, and are made once", () => {
  const paths = makeBuiltinDatabases();
  const sizeBytes = readFileSync(paths.country).length + readFileSync(paths.asn).length;
  expect(sizeBytes).toBeGreaterThan(5e6);
  expect(sizeBytes).toBeLessThan(25e6);
  expect(makeBuiltinDatabases()).toEqual(paths);
});
