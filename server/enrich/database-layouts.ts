import { continentName, countryOf } from "./countries.ts";
import { WantedMembers } from "./wanted-members.ts";

/** What a database knows about the network of an address. */
export interface NetworkFacts {
  /** 0 to 4294967295. */
  readonly asNumber?: number | undefined;
  readonly asOrganizationName?: string | undefined;
}

/** What a database knows about the place of an address, in the terms of ECS `geo`; names are in English. */
export interface PlaceFacts {
  /** "EU" */
  readonly continentCode?: string | undefined;
  readonly continentName?: string | undefined;
  /** ISO 3166-1: "SE" */
  readonly countryIsoCode?: string | undefined;
  readonly countryName?: string | undefined;
  /** ISO 3166-2: "SE-E" */
  readonly regionIsoCode?: string | undefined;
  readonly regionName?: string | undefined;
  readonly cityName?: string | undefined;
  readonly postalCode?: string | undefined;
  /** The IANA name: "Europe/Stockholm" */
  readonly timezone?: string | undefined;
  /** Degrees. */
  readonly location?: { readonly lat: number; readonly lon: number } | undefined;
}

/** The content of one record; a part that the record does not have is undefined. */
export interface RecordFacts {
  readonly network: NetworkFacts | undefined;
  readonly place: PlaceFacts | undefined;
}

/** A longer text is not a name, and is left out. */
const maxTextLength = 256;
const maxAsNumber = 0xffff_ffff;
const none: RecordFacts = { network: undefined, place: undefined };

type Fields = Readonly<Record<string, unknown>>;

const englishNames = { names: { en: {} } };
const networkMembers = { autonomous_system_number: {}, autonomous_system_organization: {} };

/** The members that `readFacts` reads, of all layouts. */
export const factMembers = new WantedMembers({
  ...networkMembers,
  traits: networkMembers,
  continent: { code: {}, ...englishNames },
  country: { iso_code: {}, ...englishNames },
  subdivisions: [{ iso_code: {}, ...englishNames }],
  city: englishNames,
  postal: { code: {} },
  location: { latitude: {}, longitude: {}, time_zone: {} },
  asn: {},
  as_name: {},
  name: {},
  continent_code: {},
  continent_name: {},
  country_code: {},
  country_name: {},
  region_code: {},
  region: {},
  state1: {},
  postal_code: {},
  postcode: {},
  timezone: {},
  latitude: {},
  lat: {},
  longitude: {},
  lng: {},
});

/**
 * Reads a decoded record in one of three layouts:
 *
 * - nested, MaxMind's: GeoLite2 and GeoIP2 City, Country, ASN, ISP, Enterprise; DB-IP's databases have the same layout
 *   (https://dev.maxmind.com/geoip/docs/databases/, https://db-ip.com/db/format/ip-to-city-lite/mmdb.html)
 * - flat, IPinfo's, in an old and a new set of names (https://ipinfo.io/developers/database-types)
 * - flat, ip-location-db's: names as in IPinfo's new set, but `state1` and `postcode`, and countries only as
 *   `country_code` (https://github.com/sapics/ip-location-db)
 *
 * Values of a wrong type or out of range are left out, because a database is a file from outside.
 *
 * @param record as decoded, at least its `factMembers`; or null for an address that is not in the database
 * @param databaseType `database_type` of the metadata
 */
export function readFacts(record: unknown, databaseType: string): RecordFacts {
  if (!isFields(record)) return none;
  return isFlat(record, databaseType) ? readFlat(record) : readNested(record);
}

/** IPinfo's types begin with its name. For databases merged from others, the shape of the record decides. */
function isFlat(record: Fields, databaseType: string): boolean {
  if (/^ipinfo\b/i.test(databaseType)) return true;
  return [record.country, record.country_code, record.continent, record.city, record.asn].some(isText);
}

function readNested(record: Fields): RecordFacts {
  const traits = fields(record.traits);
  const continent = fields(record.continent);
  // `registered_country` is the country in which the network's owner is registered, not that of the address.
  const country = fields(record.country);
  const region = fields(Array.isArray(record.subdivisions) ? record.subdivisions[0] : undefined);
  const location = fields(record.location);
  const countryIsoCode = countryCode(country.iso_code);
  return {
    // Enterprise and DB-IP's ISP databases keep the network under `traits`.
    network: network(
      asNumber(record.autonomous_system_number ?? traits.autonomous_system_number),
      text(record.autonomous_system_organization ?? traits.autonomous_system_organization),
    ),
    place: anyOf({
      continentCode: continentCode(continent.code),
      continentName: englishName(continent),
      countryIsoCode,
      countryName: englishName(country),
      // Of several subdivisions the first one is the largest: England before West Berkshire.
      regionIsoCode: regionCode(countryIsoCode, region.iso_code),
      regionName: englishName(region),
      cityName: englishName(fields(record.city)),
      postalCode: text(fields(record.postal).code),
      timezone: text(location.time_zone),
      location: point(location.latitude, location.longitude),
    }),
  };
}

function readFlat(record: Fields): RecordFacts {
  // In the old layout `country` and `continent` are codes, in the new layout they are names.
  const hasNewCountry = isText(record.country_code);
  const hasNewContinent = isText(record.continent_code);
  const countryIsoCode = countryCode(hasNewCountry ? record.country_code : record.country);
  const cityName = text(record.city);
  const location = point(record.latitude ?? record.lat, record.longitude ?? record.lng);
  // If a new record has no names, they are found by the code.
  const country = hasNewCountry ? countryOf(countryIsoCode) : undefined;
  const continent = continentCode(hasNewContinent ? record.continent_code : record.continent);
  // IPinfo writes "0","0" for an unknown place; there is no city at that location.
  const isNowhere = cityName === undefined && location?.lat === 0 && location.lon === 0;
  return {
    network: network(asNumber(record.asn), text(record.as_name ?? record.name)),
    place: anyOf({
      continentCode: continent ?? country?.continentCode,
      continentName:
        text(hasNewContinent ? record.continent : record.continent_name) ??
        (country && continentName(continent ?? country.continentCode)),
      countryIsoCode,
      countryName: text(hasNewCountry ? record.country : record.country_name) ?? country?.name,
      regionIsoCode: regionCode(countryIsoCode, record.region_code),
      regionName: text(record.region) ?? text(record.state1),
      cityName,
      postalCode: text(record.postal_code) ?? text(record.postcode),
      timezone: text(record.timezone),
      location: isNowhere ? undefined : location,
    }),
  };
}

function network(number: number | undefined, organization: string | undefined): NetworkFacts | undefined {
  return anyOf({ asNumber: number, asOrganizationName: organization });
}

/** The facts, or undefined if every one of them is undefined. */
function anyOf<Facts extends object>(facts: Facts): Facts | undefined {
  for (const name in facts) if (facts[name] !== undefined) return facts;
  return undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function englishName(named: Fields): string | undefined {
  return text(fields(named.names).en);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function text(value: unknown): string | undefined {
  return isText(value) && value.length <= maxTextLength ? value : undefined;
}

function matching(pattern: RegExp, value: unknown): string | undefined {
  return isText(value) && pattern.test(value) ? value : undefined;
}

function continentCode(value: unknown): string | undefined {
  return matching(/^[A-Z]{2}$/, value);
}

/** DB-IP writes ZZ for an unknown country. */
function countryCode(value: unknown): string | undefined {
  return matching(/^(?!ZZ)[A-Z]{2}$/, value);
}

function regionCode(country: string | undefined, value: unknown): string | undefined {
  const region = matching(/^[A-Z0-9]{1,3}$/, value);
  return country && region ? `${country}-${region}` : undefined;
}

/** 1221, or "AS1221" as IPinfo writes it. */
function asNumber(value: unknown): number | undefined {
  const digits = matching(/^AS\d{1,10}$/i, value)?.slice(2);
  const number = digits === undefined ? value : Number(digits);
  return isWithin(number, 0, maxAsNumber) && Number.isInteger(number) ? number : undefined;
}

function point(lat: unknown, lon: unknown): PlaceFacts["location"] {
  const latitude = degrees(lat);
  const longitude = degrees(lon);
  return isWithin(latitude, -90, 90) && isWithin(longitude, -180, 180)
    ? { lat: shortest(latitude), lon: shortest(longitude) }
    : undefined;
}

/**
 * A number that was stored in 32 bits, such as 37.422000885009766, with the fewest digits that are read back as the same
 * 32 bits: 37.422. Every other number is returned unchanged.
 */
function shortest(number: number): number {
  if (Math.fround(number) !== number) return number;
  // Nearly all coordinates have up to 4 decimals, and toPrecision takes ten times as long.
  for (let scale = 1; scale <= 10_000; scale *= 10) {
    const rounded = Math.round(number * scale) / scale;
    if (Math.fround(rounded) === number) return rounded;
  }
  // 9 digits always suffice for 32 bits (IEEE 754; FLT_DECIMAL_DIG in C).
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(number.toPrecision(digits));
    if (Math.fround(rounded) === number) return rounded;
  }
  return Number(number.toPrecision(9));
}

/** A number, or its decimal form as IPinfo's old databases have it. */
function degrees(value: unknown): unknown {
  const decimal = matching(/^-?\d{1,3}(\.\d{1,20})?$/, value);
  return decimal === undefined ? value : Number(decimal);
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && value >= min && value <= max;
}
