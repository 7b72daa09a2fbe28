import type { NetworkFacts, PlaceFacts } from "./database-layouts.ts";

/**
 * What enrichment puts under one key of an object: ready JSON, or members to merge into the object there.
 * The tree mirrors ECS: `as` → `number`, `organization` → `name`.
 */
export interface Addition {
  readonly key: string;
  readonly value: Buffer | readonly Addition[];
}

/** The members of `source` that the databases give for an address, in the order they are written. */
export function additionsOf(network: NetworkFacts | undefined, place: PlaceFacts | undefined): Addition[] {
  const as = present([
    leaf("number", network?.asNumber),
    group("organization", present([leaf("name", network?.asOrganizationName)])),
  ]);
  const geo = present([
    leaf("continent_code", place?.continentCode),
    leaf("continent_name", place?.continentName),
    leaf("country_iso_code", place?.countryIsoCode),
    leaf("country_name", place?.countryName),
    leaf("region_iso_code", place?.regionIsoCode),
    leaf("region_name", place?.regionName),
    leaf("city_name", place?.cityName),
    leaf("postal_code", place?.postalCode),
    leaf("timezone", place?.timezone),
    leaf("location", place?.location && { lat: place.location.lat, lon: place.location.lon }),
  ]);
  return present([group("as", as), group("geo", geo)]);
}

/** `source.domain` for a reverse DNS name. */
export function domainAddition(name: string): Addition {
  return { key: "domain", value: json(name) };
}

/** Additions as bytes to insert before the closing brace of an object that has members: `,"as":{…},"geo":{…}`. */
export function membersToAppend(additions: readonly Addition[]): Buffer {
  return Buffer.from(additions.map((addition) => `,${memberText(addition)}`).join(""));
}

/** One addition as a member: `"as":{"number":1221}`. */
export function memberText(addition: Addition): string {
  return `${JSON.stringify(addition.key)}:${valueText(addition.value)}`;
}

function valueText(value: Addition["value"]): string {
  return Buffer.isBuffer(value) ? value.toString() : `{${value.map(memberText).join(",")}}`;
}

function leaf(key: string, value: unknown): Addition | undefined {
  return value === undefined ? undefined : { key, value: json(value) };
}

function group(key: string, members: readonly Addition[]): Addition | undefined {
  return members.length === 0 ? undefined : { key, value: members };
}

function present(additions: readonly (Addition | undefined)[]): Addition[] {
  return additions.filter((addition) => addition !== undefined);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
