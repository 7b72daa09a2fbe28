import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AddressDatabases, openDatabases } from "../../server/enrich/databases.ts";
import {
  asnRecord,
  cityRecord,
  sampleBuildEpoch,
  sampleCityDatabase,
  sampleDatabase,
} from "../mmdb/samples.ts";

const log = { info() {}, error() {} };
const opened: AddressDatabases[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-databases-"));
});

afterAll(() => {
  for (const databases of opened) databases.close();
  rmSync(folder, { recursive: true });
});

async function fileWith(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await Bun.write(path, bytes);
  return path;
}

type Paths = string | readonly string[];

async function open(paths: { geoipDbPath?: Paths; asnDbPath?: Paths }): Promise<AddressDatabases> {
  const options = { geoipDbPath: undefined, asnDbPath: undefined, log, ...paths };
  const databases = await openDatabases(options);
  opened.push(databases);
  return databases;
}

const asnDatabase = sampleDatabase({
  type: "GeoLite2-ASN",
  networks: [["81.2.0.0/16", asnRecord(1, "From the ASN database")]],
});
const enterpriseDatabase = sampleDatabase({
  type: "GeoIP2-Enterprise",
  networks: [
    ["81.2.69.0/24", { country: { iso_code: "GB" }, traits: { autonomous_system_number: 2 } }],
    ["89.160.20.0/24", { country: { iso_code: "SE" }, traits: { autonomous_system_number: 3 } }],
  ],
});

describe("lookups", () => {
  test("the place is from one database and the network from the other", async () => {
    const databases = await open({
      geoipDbPath: await fileWith("city.mmdb", sampleCityDatabase("London")),
      asnDbPath: await fileWith("asn.mmdb", asnDatabase),
    });
    const { network, place, results } = databases.lookup("81.2.69.160");
    expect(network).toEqual({ asNumber: 1, asOrganizationName: "From the ASN database" });
    expect(place?.cityName).toBe("London");
    expect(results).toEqual({ geoip: "hit", asn: "hit" });
  });

  test("an address that neither database knows is a miss in both", async () => {
    const databases = await open({
      geoipDbPath: await fileWith("city.mmdb", sampleCityDatabase("London")),
      asnDbPath: await fileWith("asn.mmdb", asnDatabase),
    });
    expect(databases.lookup("9.9.9.9")).toMatchObject({
      network: undefined,
      place: undefined,
      results: { geoip: "miss", asn: "miss" },
    });
  });

  test("without databases every lookup is skipped", async () => {
    expect((await open({})).lookup("81.2.69.160")).toMatchObject({
      network: undefined,
      place: undefined,
      results: { geoip: "skipped", asn: "skipped" },
    });
  });

  test("a database that has networks and places gives both even if it is configured for one", async () => {
    const databases = await open({ geoipDbPath: await fileWith("enterprise.mmdb", enterpriseDatabase) });
    const { network, place, results } = databases.lookup("81.2.69.160");
    expect(network).toEqual({ asNumber: 2 });
    expect(place).toEqual({ countryIsoCode: "GB" });
    expect(results).toEqual({ geoip: "hit", asn: "skipped" });
  });

  test("the network is from the ASN database, and from the other one if that does not know it", async () => {
    const databases = await open({
      geoipDbPath: await fileWith("enterprise.mmdb", enterpriseDatabase),
      asnDbPath: await fileWith("asn.mmdb", asnDatabase),
    });
    expect(databases.lookup("81.2.69.160").network?.asNumber).toBe(1);
    expect(databases.lookup("89.160.20.112").network?.asNumber).toBe(3);
  });

  test("IPinfo's combined database serves as either", async () => {
    const record = { country: "JP", asn: "AS8075", as_name: "Example" };
    const networks: [string, typeof record][] = [["126.0.0.0/8", record]];
    const path = await fileWith("country_asn.mmdb", sampleDatabase({ type: "ipinfo free", networks }));
    const databases = await open({ geoipDbPath: path, asnDbPath: path });
    expect(databases.lookup("126.1.1.1").results).toEqual({ geoip: "hit", asn: "hit" });
  });

  test("a database of unknown type is used for what its records hold", async () => {
    const networks: [string, ReturnType<typeof cityRecord>][] = [["81.2.69.0/24", cityRecord("London")]];
    const path = await fileWith("own.mmdb", sampleDatabase({ type: "Our-Own", networks }));
    const databases = await open({ geoipDbPath: path });
    expect(databases.lookup("81.2.69.160").place?.cityName).toBe("London");
  });

  test("each database is described", async () => {
    const path = await fileWith("asn.mmdb", asnDatabase);
    expect((await open({ asnDbPath: path })).describe()).toEqual([
      {
        path,
        isBuiltin: false,
        role: "asn",
        type: "GeoLite2-ASN",
        buildTime: new Date(sampleBuildEpoch * 1000),
        ipVersion: 6,
        sizeBytes: asnDatabase.length,
        nodeCount: expect.any(Number),
        networkCount: expect.any(Number),
      },
    ]);
  });
});

describe("a list of databases", () => {
  const ipv4City = sampleDatabase({
    type: "city ipv4",
    ipVersion: 4,
    networks: [["81.2.69.0/24", { city: "London", country_code: "GB" }]],
  });
  const ipv6City = sampleDatabase({
    type: "city ipv6",
    networks: [
      ["2a00:1450::/32", { city: "Dublin", country_code: "IE" }],
      ["81.2.69.0/24", { city: "of the second file", country_code: "GB" }],
    ],
  });
  const ownNetworks = sampleDatabase({
    type: "Own-City",
    networks: [
      ["10.1.0.0/16", cityRecord("Branch office")],
      ["fd00:1::/32", cityRecord("Data centre")],
      ["89.160.20.0/24", cityRecord("Own public network")],
    ],
  });

  test("of IPv4 and IPv6 apart answers for both, and the first answer counts", async () => {
    const paths = [await fileWith("city4.mmdb", ipv4City), await fileWith("city6.mmdb", ipv6City)];
    const databases = await open({ geoipDbPath: paths });
    expect(databases.lookup("81.2.69.160").place?.cityName).toBe("London");
    expect(databases.lookup("2a00:1450:0:0:0:0:0:1").place?.cityName).toBe("Dublin");
    expect(databases.lookup("8.8.8.8").results).toEqual({ geoip: "miss", asn: "skipped" });
    expect(databases.describe().map(({ path, type }) => [path, type])).toEqual([
      [paths[0] as string, "city ipv4"],
      [paths[1] as string, "city ipv6"],
    ]);
  });

  test("with an operator's own networks answers for addresses that are not public", async () => {
    const paths = [await fileWith("own.mmdb", ownNetworks), await fileWith("city4.mmdb", ipv4City)];
    const databases = await open({ geoipDbPath: paths, asnDbPath: await fileWith("asn.mmdb", asnDatabase) });
    expect(databases.hasOwnNetworks).toBe(true);
    expect(databases.lookupPrivate("10.1.2.3").place?.cityName).toBe("Branch office");
    expect(databases.lookupPrivate("10.1.2.3").results).toEqual({ geoip: "hit", asn: "skipped" });
    expect(databases.lookup("89.160.20.1").place?.cityName).toBe("Own public network");
    expect(databases.lookup("81.2.69.160").place?.cityName).toBe("London");
  });

  test("a single file is not asked about them", async () => {
    const databases = await open({ geoipDbPath: await fileWith("own.mmdb", ownNetworks) });
    expect(databases.hasOwnNetworks).toBe(false);
  });

  test("each file is followed", async () => {
    const paths = [await fileWith("first.mmdb", ipv4City), await fileWith("second.mmdb", ipv6City)];
    const databases = await open({ geoipDbPath: paths });
    const { generation } = databases;
    await fileWith("second.mmdb", sampleCityDatabase("Zurich"));
    await databases.reload();
    expect(databases.generation).not.toBe(generation);
    expect(databases.lookup("2a00:1450:0:0:0:0:0:1").place?.cityName).toBe("Zurich");
  });

  test("stops the start if one of its files is missing", async () => {
    const missing = join(folder, "missing.mmdb");
    const paths = [await fileWith("city4.mmdb", ipv4City), missing];
    await expect(open({ geoipDbPath: paths })).rejects.toThrow(
      `enrichment: geoip_db_path: cannot open ${missing}: no such file`,
    );
  });
});

describe("a configured file that cannot be used stops the start", () => {
  test("when it is missing", async () => {
    const path = join(folder, "absent.mmdb");
    const message = `enrichment: geoip_db_path: cannot open ${path}: no such file`;
    await expect(open({ geoipDbPath: path })).rejects.toThrow(message);
  });

  test("when it is a folder", async () => {
    const message = `enrichment: asn_db_path: cannot open ${folder}: it is not a regular file`;
    await expect(open({ asnDbPath: folder })).rejects.toThrow(message);
  });

  test("when it is damaged", async () => {
    const path = await fileWith("damaged.mmdb", asnDatabase.subarray(0, -200));
    await expect(open({ asnDbPath: path })).rejects.toThrow(
      `enrichment: asn_db_path: cannot open ${path}: it is`,
    );
  });

  test("when it holds networks and should hold places", async () => {
    const path = await fileWith("asn.mmdb", asnDatabase);
    const message = `enrichment: geoip_db_path: cannot open ${path}: it is a "GeoLite2-ASN" database and has no places`;
    await expect(open({ geoipDbPath: path })).rejects.toThrow(message);
  });

  test("when it holds places and should hold networks", async () => {
    const path = await fileWith("city.mmdb", sampleCityDatabase("London"));
    const message = `enrichment: asn_db_path: cannot open ${path}: it is a "GeoLite2-City" database and has no AS numbers`;
    await expect(open({ asnDbPath: path })).rejects.toThrow(message);
  });

  test("when it holds neither", async () => {
    const networks: [string, { connection_type: string }][] = [["81.0.0.0/8", { connection_type: "Cable" }]];
    const path = await fileWith(
      "connection.mmdb",
      sampleDatabase({ type: "GeoIP2-Connection-Type", networks }),
    );
    await expect(open({ geoipDbPath: path })).rejects.toThrow(
      '"GeoIP2-Connection-Type" database and has no places',
    );
  });
});
