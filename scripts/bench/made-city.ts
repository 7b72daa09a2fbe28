import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseBuilder, double, uint16, uint32, type Value } from "../mmdb/writer.ts";

/*
 * A City database for benchmarks in MaxMind's layout, with names in eight languages, because GeoLite2 may not be passed on.
 * Its places are invented. As in a real one, a few cities have most networks: 20,000 random addresses have 9,800 records,
 * and a million have 66,000. (GeoLite2-City: 20,000 have 7,600. DB-IP's city database: 7,000, and a million have 94,000.)
 */

const languages = ["de", "en", "es", "fr", "ja", "pt-BR", "ru", "zh-CN"] as const;
const cityCount = 400_000;
/** The greater it is, the more networks the first cities have. */
const skew = 9;
/** Every network of this prefix length has a record. */
const prefixLength = 18;

/** Makes the file unless it is there, because that takes several seconds. @returns its path */
export function madeCityPath(): string {
  const folder = join(import.meta.dir, "../../node_modules/.cache/loom");
  const path = join(folder, `bench-city-${Bun.hash(readFileSync(import.meta.path)).toString(16)}.mmdb`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  // Two processes may make it at the same time. Each renames a whole file.
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, makeCityDatabase());
  renameSync(unfinished, path);
  return path;
}

function makeCityDatabase(): Uint8Array {
  const builder = new DatabaseBuilder({
    type: "Made-City",
    ipVersion: 6,
    recordSize: 28,
    buildEpoch: 1_767_225_600,
    languages,
    description: "Invented for benchmarks",
  });
  const cities = new Map<number, Value>();
  for (let network = 0; network < 2 ** prefixLength; network++) {
    // Spread evenly from 0 to 1; see publicAddresses.
    const share = (Math.imul(network + 1, 0x85eb_ca6b) >>> 0) / 2 ** 32;
    const number = Math.floor(cityCount * share ** skew);
    const city = cities.get(number) ?? cityRecord(number);
    cities.set(number, city);
    const word = (network << (32 - prefixLength)) >>> 0;
    builder.add({ words: [0, 0, 0, word], length: 96 + prefixLength }, city);
  }
  return builder.toBytes();
}

/** As MaxMind's, the records share continents, countries and regions. */
const continents = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"].map((code, number) => ({
  code,
  geoname_id: uint32(number),
  names: names(`Continent ${code}`),
}));
const countries = Array.from({ length: 240 }, (_, number) => {
  const code = String.fromCharCode(65 + (number % 24), 65 + Math.floor(number / 24));
  return { geoname_id: uint32(number), iso_code: code, names: names(`Country ${code}`) };
});
const regions = Array.from({ length: 3_000 }, (_, number) => ({
  geoname_id: uint32(number),
  iso_code: String(number % 100).padStart(2, "0"),
  names: names(`Region ${number}`),
}));

function cityRecord(number: number): Value {
  const country = number % countries.length;
  return {
    city: { geoname_id: uint32(number), names: names(`Invented City ${number}`) },
    continent: continents[country % continents.length] ?? {},
    country: countries[country] ?? {},
    location: {
      accuracy_radius: uint16(100),
      latitude: double(((number * 37) % 1_800_000) / 10_000 - 90),
      longitude: double(((number * 91) % 3_600_000) / 10_000 - 180),
      time_zone: `Made/Zone_${country}`,
    },
    postal: { code: String(10_000 + (number % 90_000)) },
    registered_country: countries[(country + (number % 7)) % countries.length] ?? {},
    subdivisions: [regions[number % regions.length] ?? {}],
  };
}

function names(text: string): Value {
  return Object.fromEntries(languages.map((language) => [language, `${text} (${language})`]));
}
