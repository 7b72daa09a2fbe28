import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePublicAddress } from "../../../server/enrich/address.ts";
import { openBuiltinDatabase } from "../../../server/enrich/builtin/builtin-database.ts";
import { builtinSources } from "../../../server/enrich/builtin/sources.ts";
import { type AddressDatabases, openDatabases } from "../../../server/enrich/databases.ts";
import { asnRecord, sampleCityDatabase, sampleDatabase } from "../../mmdb/samples.ts";
import { capturedRequests } from "../../support/fixtures.ts";
import { silentLog } from "../../support/log.ts";

// They are made at first use from the sources.
setDefaultTimeout(60_000);

let folder: string;
let builtin: AddressDatabases;

function open(paths: { geoipDbPath?: string; asnDbPath?: string }, builtinDatabases = true) {
  const defaults = { geoipDbPath: undefined, asnDbPath: undefined, log: silentLog, builtinDatabases };
  return openDatabases({ ...defaults, ...paths });
}

function fileWith(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "loom-builtin-"));
  builtin = await open({});
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("if no path is set", () => {
  test("country, continent and network of an address are known", () => {
    expect(builtin.lookup("8.8.8.8")).toMatchObject({
      network: { asNumber: 15169, asOrganizationName: "Google LLC" },
      place: {
        continentCode: "NA",
        continentName: "North America",
        countryIsoCode: "US",
        countryName: "United States",
      },
      results: { geoip: "hit", asn: "hit" },
    });
    expect(builtin.lookup("2001:4860:4860:0:0:0:0:8888").network?.asNumber).toBe(15169);
  });

  const addresses = capturedRequests.flatMap(({ body }) =>
    (JSON.parse(body) as { source?: { ip?: string } }[]).map(({ source }) =>
      parsePublicAddress(source?.ip ?? ""),
    ),
  );
  test.each([...new Set(addresses)].filter((address) => address !== undefined))(
    "%s of the demo has a country",
    (address) => {
      expect(builtin.lookup(address).place?.countryName).toBeString();
    },
  );

  test("the databases are described with the date of their data", () => {
    const date = builtinSources.asn.builtAt;
    expect(date.getTime()).toBeGreaterThan(Date.UTC(2026, 0));
    expect(builtin.describe()).toMatchObject([
      { path: "built in", isBuiltin: true, role: "geoip", type: "Loom-Country", buildTime: date },
      { path: "built in", isBuiltin: true, role: "asn", type: "Loom-ASN", buildTime: date },
    ]);
  });

  test("addresses that are not public are not looked up", () => {
    expect(builtin.hasOwnNetworks).toBe(false);
  });
});

describe("a configured path", () => {
  test("replaces the built-in database of its role, and only that", async () => {
    const databases = await open({ geoipDbPath: fileWith("city.mmdb", sampleCityDatabase("London")) });
    databases.close();
    expect(databases.lookup("81.2.69.160").place?.cityName).toBe("London");
    expect(databases.lookup("81.2.69.160").network?.asNumber).toBe(20712);
    expect(databases.lookup("8.8.8.8").place).toBeUndefined();
    expect(databases.describe().map(({ isBuiltin }) => isBuiltin)).toEqual([false, true]);
  });

  test("of networks leaves the built-in countries", async () => {
    const asn = sampleDatabase({ networks: [["81.2.69.0/24", asnRecord(1, "Configured")]] });
    const databases = await open({ asnDbPath: fileWith("asn.mmdb", asn) });
    databases.close();
    expect(databases.lookup("81.2.69.160").network?.asNumber).toBe(1);
    expect(databases.lookup("81.2.69.160").place?.countryIsoCode).toBe("GB");
    expect(databases.lookup("8.8.8.8").network).toBeUndefined();
  });

  test("of places and networks precedes the built-in networks", async () => {
    const record = { country: { iso_code: "GB" }, traits: { autonomous_system_number: 2 } };
    const enterprise = sampleDatabase({ networks: [["81.2.69.0/24", record]] });
    const databases = await open({ geoipDbPath: fileWith("enterprise.mmdb", enterprise) });
    databases.close();
    expect(databases.lookup("81.2.69.160").network).toEqual({ asNumber: 2 });
    expect(databases.lookup("8.8.8.8").network?.asNumber).toBe(15169);
  });
});

test("an executable without it starts, and the log says so", async () => {
  const lines: unknown[] = [];
  const missing = () => Promise.reject(new Error("it is not there"));
  const log = { error: (...line: unknown[]) => void lines.push(line) };
  expect(await openBuiltinDatabase("asn", log, missing)).toBeUndefined();
  expect(lines).toEqual([
    [
      "cannot open a built-in database; events do not get its fields",
      { role: "asn", reason: "it is not there" },
    ],
  ]);
});

test("builtin_databases = false: every lookup is skipped", async () => {
  const databases = await open({}, false);
  expect(databases.describe()).toEqual([]);
  expect(databases.lookup("8.8.8.8").results).toEqual({ geoip: "skipped", asn: "skipped" });
});
