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
export type Leaf = Pick<Addition, "key" | "fields">;

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

/** Takes the members of an object. An object without members is left out. */
export interface MemberSink {
  beginObject(key: string): void;
  endObject(): void;
  text(leaf: Leaf, value: string): void;
  /** @param json has only ASCII characters */
  json(leaf: Leaf, json: string): void;
}

/** Writes what is known of a network: the member `as` of `source`. */
export function writeNetwork({ asNumber, asOrganizationName }: NetworkFacts, sink: MemberSink): void {
  sink.beginObject("as");
  if (asNumber !== undefined) sink.json(as.number, `${asNumber}`);
  sink.beginObject("organization");
  writeText(as.organizationName, asOrganizationName, sink);
  sink.endObject();
  sink.endObject();
}

/** Writes what is known of a place: the member `geo` of `source`. */
export function writePlace(place: PlaceFacts, sink: MemberSink): void {
  sink.beginObject("geo");
  writeText(geo.continentCode, place.continentCode, sink);
  writeText(geo.continentName, place.continentName, sink);
  writeText(geo.countryIsoCode, place.countryIsoCode, sink);
  writeText(geo.countryName, place.countryName, sink);
  writeText(geo.regionIsoCode, place.regionIsoCode, sink);
  writeText(geo.regionName, place.regionName, sink);
  writeText(geo.cityName, place.cityName, sink);
  writeText(geo.postalCode, place.postalCode, sink);
  writeText(geo.timezone, place.timezone, sink);
  const { location } = place;
  // JSON has no -0.
  if (location) sink.json(geo.location, `{"lat":${location.lat + 0},"lon":${location.lon + 0}}`);
  sink.endObject();
}

function writeText(leaf: Leaf, text: string | undefined, sink: MemberSink): void {
  if (text !== undefined) sink.text(leaf, text);
}

/** The members of `source` that the databases know for an address, in the order in which they are written. */
export function additionsOf(
  network: NetworkFacts | undefined,
  place: PlaceFacts | undefined,
): readonly Addition[] {
  const tree = new AdditionTree();
  if (network) writeNetwork(network, tree);
  if (place) writePlace(place, tree);
  return tree.additions;
}

class AdditionTree implements MemberSink {
  additions: Addition[] = [];
  readonly #outer: { readonly key: string; readonly additions: Addition[] }[] = [];

  beginObject(key: string): void {
    this.#outer.push({ key, additions: this.additions });
    this.additions = [];
  }

  endObject(): void {
    const outer = this.#outer.pop();
    if (outer === undefined) throw new Error("BUG: no object was begun");
    const value = this.additions;
    this.additions = outer.additions;
    if (value.length > 0) this.additions.push({ key: outer.key, value, fields: fieldsIn(value) });
  }

  text(leaf: Leaf, value: string): void {
    this.additions.push(valued(leaf, JSON.stringify(value)));
  }

  json(leaf: Leaf, json: string): void {
    this.additions.push(valued(leaf, json));
  }
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
