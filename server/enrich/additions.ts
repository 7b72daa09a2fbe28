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

/** The key and the bit of a field. */
type Leaf = Pick<Addition, "key" | "fields">;

const as = { number: leafOf("source.as.number"), organizationName: leafOf("source.as.organization.name") };
const geo = {
  continentCode: leafOf("source.geo.continent_code"),
  continentName: leafOf("source.geo.continent_name"),
  countryIsoCode: leafOf("source.geo.country_iso_code"),
  countryName: leafOf("source.geo.country_name"),
  regionIsoCode: leafOf("source.geo.region_iso_code"),
  regionName: leafOf("source.geo.region_name"),
  cityName: leafOf("source.geo.city_name"),
  postalCode: leafOf("source.geo.postal_code"),
  timezone: leafOf("source.geo.timezone"),
  location: leafOf("source.geo.location"),
};
const domain = leafOf("source.domain");
const ip = leafOf("source.ip");
const tags = leafOf("tags");

function leafOf(field: EnrichedField): Leaf {
  return { key: field.slice(field.lastIndexOf(".") + 1), fields: 1 << enrichedFields.indexOf(field) };
}

/** The members of `source` that the databases know for an address, in the order in which they are written. */
export function additionsOf(network: NetworkFacts | undefined, place: PlaceFacts | undefined): Addition[] {
  const additions: Addition[] = [];
  if (network) addGroup(additions, "as", networkAdditions(network));
  if (place) addGroup(additions, "geo", placeAdditions(place));
  return additions;
}

function networkAdditions({ asNumber, asOrganizationName }: NetworkFacts): Addition[] {
  const organization: Addition[] = [];
  addText(organization, as.organizationName, asOrganizationName);
  const additions: Addition[] = [];
  if (asNumber !== undefined) additions.push(valued(as.number, `${asNumber}`));
  addGroup(additions, "organization", organization);
  return additions;
}

function placeAdditions(place: PlaceFacts): Addition[] {
  const additions: Addition[] = [];
  addText(additions, geo.continentCode, place.continentCode);
  addText(additions, geo.continentName, place.continentName);
  addText(additions, geo.countryIsoCode, place.countryIsoCode);
  addText(additions, geo.countryName, place.countryName);
  addText(additions, geo.regionIsoCode, place.regionIsoCode);
  addText(additions, geo.regionName, place.regionName);
  addText(additions, geo.cityName, place.cityName);
  addText(additions, geo.postalCode, place.postalCode);
  addText(additions, geo.timezone, place.timezone);
  const { location } = place;
  // JSON has no -0.
  if (location) additions.push(valued(geo.location, `{"lat":${location.lat + 0},"lon":${location.lon + 0}}`));
  return additions;
}

/** `source.domain` for a reverse DNS name. */
export function domainAddition(name: string): Addition {
  return valued(domain, JSON.stringify(name));
}

/** `source.ip`, for an event that has its address in another field. */
export function ipAddition(address: string): Addition {
  return { ...valued(ip, JSON.stringify(address)), ifPresent: "keep" };
}

/** `tags` of the event. */
export function tagsAddition(texts: readonly string[]): Addition {
  return { ...valued(tags, JSON.stringify(texts)), ifPresent: "extend" };
}

/** The members of `source` as one addition to the event. */
export function sourceAddition(members: readonly Addition[]): Addition {
  return { key: "source", value: members, fields: fieldsIn(members) };
}

/** Additions as bytes to insert before the closing brace of an object that has members: `,"as":{…},"geo":{…}`. */
export function membersToAppend(additions: readonly Addition[]): Buffer {
  return Buffer.from(additions.length === 0 ? "" : `,${membersText(additions)}`);
}

/** Additions as members, separated by commas: `"as":{"number":1221},"geo":{…}`. */
export function membersText(additions: readonly Addition[]): string {
  let text = "";
  for (const { key, value } of additions) {
    const json = typeof value === "string" ? value : `{${membersText(value)}}`;
    text += `${text === "" ? "" : ","}"${key}":${json}`;
  }
  return text;
}

/** The fields of all additions, as a bit mask. */
export function fieldsIn(additions: readonly Addition[]): number {
  let mask = 0;
  for (const { fields } of additions) mask |= fields;
  return mask;
}

function valued({ key, fields }: Leaf, value: string): Addition {
  return { key, value, fields };
}

function addText(additions: Addition[], leaf: Leaf, text: string | undefined): void {
  if (text !== undefined) additions.push(valued(leaf, JSON.stringify(text)));
}

function addGroup(additions: Addition[], key: string, members: readonly Addition[]): void {
  if (members.length > 0) additions.push({ key, value: members, fields: fieldsIn(members) });
}
