import { type DatabaseContent, double, type Value, writeDatabase } from "../../scripts/mmdb/writer.ts";

/** 2026-01-01 */
export const sampleBuildEpoch = 1_767_225_600;

const common: DatabaseContent = {
  type: "Test",
  ipVersion: 6,
  recordSize: 24,
  networks: [],
  buildEpoch: sampleBuildEpoch,
  languages: ["en"],
  description: "Made for a test",
};

/** A valid database with these changes. */
export function sampleDatabase(content: Partial<DatabaseContent>): Buffer {
  return Buffer.from(writeDatabase({ ...common, ...content }));
}

/** One IPv4 and one IPv6 network in a city of this name. */
export function sampleCityDatabase(cityName: string): Buffer {
  return sampleDatabase({
    type: "GeoLite2-City",
    networks: [
      ["81.2.69.0/24", cityRecord(cityName)],
      ["2a00:1450::/32", cityRecord(cityName)],
    ],
  });
}

export function cityRecord(cityName: string): Value {
  return {
    city: { names: { en: cityName } },
    country: { iso_code: "GB", names: { en: "United Kingdom" } },
    location: { latitude: double(51.5), longitude: double(-0.1), time_zone: "Europe/London" },
  };
}

export function asnRecord(number: number, organization: string): Value {
  return { autonomous_system_number: number, autonomous_system_organization: organization };
}
