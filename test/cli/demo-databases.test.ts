import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { demoDatabases } from "../../scripts/demo-databases.ts";
import { parsePublicAddress } from "../../server/enrich/address.ts";
import { type AddressDatabases, openDatabases } from "../../server/enrich/databases.ts";

const folder = join(import.meta.dir, "../../server/cli/demo");
const maxBytes = 30_000;

describe.each(demoDatabases())("$name", ({ name, bytes }) => {
  const committed = readFileSync(join(folder, name));

  test("is what scripts/demo-databases.ts writes, byte for byte", () => {
    expect(committed.equals(bytes)).toBe(true);
  });

  test("says that its contents are invented", () => {
    expect(committed.includes("Demo data made up for trying Loom; not for real use")).toBe(true);
  });

  test("is small", () => {
    expect(committed.length).toBeLessThan(maxBytes);
  });
});

describe("the captured requests", () => {
  let databases: AddressDatabases;
  beforeAll(async () => {
    databases = await openDatabases({
      geoipDbPath: join(folder, "demo-city.mmdb"),
      asnDbPath: join(folder, "demo-asn.mmdb"),
      log: { info() {}, error() {} },
    });
  });
  afterAll(() => databases.close());

  const addresses = publicSources();

  test("have public sources, IPv4-mapped and IPv6 among them", () => {
    expect(addresses.length).toBeGreaterThan(5);
    expect(addresses).toContain("81.2.69.160");
    expect(addresses).toContain("2001:218:0:0:0:0:0:1");
  });

  test.each(addresses)("%s has a city and coordinates", (address) => {
    const { place } = databases.lookup(address);
    expect(place?.cityName).toBeString();
    expect(place?.location).toEqual({ lat: expect.any(Number), lon: expect.any(Number) });
    expect(place?.regionIsoCode).toMatch(/^[A-Z]{2}-[A-Z0-9]{1,3}$/);
  });

  test.each(addresses)("%s has an invented AS", (address) => {
    const { network } = databases.lookup(address);
    expect(network?.asNumber).toBeNumber();
    expect(network?.asOrganizationName).toEndWith("(demo)");
  });
});

function publicSources(): string[] {
  const fixtures = join(import.meta.dir, "../../server/cli/demo/spip-requests.ndjson");
  const requests = readFileSync(fixtures, "utf8").trim().split("\n");
  const events: { source?: { ip?: string } }[] = requests.flatMap((line) =>
    JSON.parse(JSON.parse(line).body),
  );
  const addresses = events.map(({ source }) => parsePublicAddress(source?.ip ?? ""));
  return [...new Set(addresses)].filter((address) => address !== undefined);
}
