import type { NetworkFacts, PlaceFacts } from "./database-layouts.ts";

/** Every field that enrichment may add. A set of fields is a bit mask in this order. */
export const enrichedFields = [
  "source.as.number",
  "source.as.organization.name",
  "source.geo.continent_code",
  "source.geo.continent_name",
  "source.geo.country_iso_code",
  "source.geo.country_name",
  "source.geo.region_iso_code",
  "source.geo.region_name",
  "source.geo.city_name",
  "source.geo.postal_code",
  "source.geo.timezone",
  "source.geo.location",
  "source.domain",
  "source.ip",
  "tags",
] as const;
export type EnrichedField = (typeof enrichedFields)[number];

/**
 * What enrichment adds under one key of an object: JSON text, or members to merge into the object under that key. The
 * tree mirrors ECS: `as` → `number`, `organization` → `name`.
 */
export interface Addition {
  readonly key: string;
  readonly value: string | readonly Addition[];
  /** The fields that it contains, as a bit mask. */
  readonly fields: number;
  /**
   * What happens to a value that the object already has under the key: it is replaced by default; "keep" leaves it; "extend"
   * adds the elements of `value`, which is a list, to it.
   */
  readonly ifPresent?: "keep" | "extend";
}

/** The members of `source` that the databases know for an address, in the order in which they are written. */
export function additionsOf(network: NetworkFacts | undefined, place: PlaceFacts | undefined): Addition[] {
  const as = present([
    leaf("source.as.number", network?.asNumber),
    group("organization", present([leaf("source.as.organization.name", network?.asOrganizationName)])),
  ]);
  const geo = present([
    leaf("source.geo.continent_code", place?.continentCode),
    leaf("source.geo.continent_name", place?.continentName),
    leaf("source.geo.country_iso_code", place?.countryIsoCode),
    leaf("source.geo.country_name", place?.countryName),
    leaf("source.geo.region_iso_code", place?.regionIsoCode),
    leaf("source.geo.region_name", place?.regionName),
    leaf("source.geo.city_name", place?.cityName),
    leaf("source.geo.postal_code", place?.postalCode),
    leaf("source.geo.timezone", place?.timezone),
    leaf("source.geo.location", place?.location && { lat: place.location.lat, lon: place.location.lon }),
  ]);
  return present([group("as", as), group("geo", geo)]);
}

/** `source.domain` for a reverse DNS name. */
export function domainAddition(name: string): Addition {
  return leaf("source.domain", name);
}

/** `source.ip`, for an event that has its address in another field. */
export function ipAddition(address: string): Addition {
  return { ...leaf("source.ip", address), ifPresent: "keep" };
}

/** `tags` of the event. */
export function tagsAddition(tags: readonly string[]): Addition {
  return { ...leaf("tags", tags), ifPresent: "extend" };
}

/** The members of `source` as one addition to the event. */
export function sourceAddition(members: readonly Addition[]): Addition {
  return { key: "source", value: members, fields: fieldsIn(members) };
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
  return typeof value === "string" ? value : `{${value.map(memberText).join(",")}}`;
}

/** The fields of all additions, as a bit mask. */
export function fieldsIn(additions: readonly Addition[]): number {
  return additions.reduce((mask, { fields }) => mask | fields, 0);
}

function leaf(field: EnrichedField, value: NonNullable<unknown>): Addition;
function leaf(field: EnrichedField, value: unknown): Addition | undefined;
function leaf(field: EnrichedField, value: unknown): Addition | undefined {
  if (value === undefined) return undefined;
  const key = field.slice(field.lastIndexOf(".") + 1);
  return { key, value: JSON.stringify(value), fields: 1 << enrichedFields.indexOf(field) };
}

function group(key: string, members: readonly Addition[]): Addition | undefined {
  return members.length === 0 ? undefined : { key, value: members, fields: fieldsIn(members) };
}

function present(additions: readonly (Addition | undefined)[]): Addition[] {
  return additions.filter((addition) => addition !== undefined);
}
