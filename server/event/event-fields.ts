import { startOf } from "../text/truncate.ts";

/*
 * The fields of an event that Loom shows and searches, read from its document. The page imports this file too: nothing in it
 * needs Bun or Node. A document is whatever JSON.parse returns, and an attacker chooses it: only own properties of objects
 * are read, and a value of an unexpected type counts as absent.
 */

export interface Location {
  /** -90 to 90 */
  readonly lat: number;
  /** -180 to 180 */
  readonly lon: number;
}

/** undefined: absent, empty, or of another type. Strings are well-formed Unicode and truncated. */
export interface EventFields {
  /** source.ip */
  readonly address: string | undefined;
  /** destination.port: 0 to 65535 */
  readonly port: number | undefined;
  /** source.geo.country_iso_code: two capital letters */
  readonly countryIsoCode: string | undefined;
  /** source.geo.country_name */
  readonly countryName: string | undefined;
  /** source.geo.city_name */
  readonly cityName: string | undefined;
  /** source.geo.location */
  readonly location: Location | undefined;
  /** source.as.number: a positive safe integer */
  readonly asNumber: number | undefined;
  /** source.as.organization.name */
  readonly asOrganizationName: string | undefined;
  /** url.path */
  readonly path: string | undefined;
  /** user_agent.original */
  readonly userAgent: string | undefined;
  /** tls.client.hash.ja4 */
  readonly ja4: string | undefined;
  /** http.request.hash.ja4h */
  readonly ja4h: string | undefined;
  /** ssh.client.hash.hassh */
  readonly hassh: string | undefined;
  /** network.community_id */
  readonly communityId: string | undefined;
  /** `@timestamp` in milliseconds since the epoch */
  readonly timestampMs: number | undefined;
  /** tags, sorted, without duplicates, separated by line feeds */
  readonly tags: string | undefined;
}

/** An IPv6 address with its zone has up to 61 characters. */
export const maxAddressLength = 64;
export const maxNameLength = 128;
export const maxPathLength = 256;
export const maxUserAgentLength = 256;
/** The longest fingerprint, JA4H, has 51 characters. */
export const maxFingerprintLength = 128;
const maxTimestampLength = 64;
const maxTags = 32;
const maxTagLength = 64;
const maxPort = 65_535;

/** @param document an event as JSON.parse returns it, or any other value */
export function fieldsOf(document: unknown): EventFields {
  const source = member(document, "source");
  const geo = member(source, "geo");
  const network = member(source, "as");
  return {
    address: textOf(member(source, "ip"), maxAddressLength),
    port: portOf(member(member(document, "destination"), "port")),
    countryIsoCode: countryCodeOf(member(geo, "country_iso_code")),
    countryName: textOf(member(geo, "country_name"), maxNameLength),
    cityName: textOf(member(geo, "city_name"), maxNameLength),
    location: locationOf(member(geo, "location")),
    asNumber: asNumberOf(member(network, "number")),
    asOrganizationName: textOf(member(member(network, "organization"), "name"), maxNameLength),
    path: textOf(member(member(document, "url"), "path"), maxPathLength),
    userAgent: textOf(member(member(document, "user_agent"), "original"), maxUserAgentLength),
    ja4: fingerprintOf(member(member(document, "tls"), "client"), "ja4"),
    ja4h: fingerprintOf(member(member(document, "http"), "request"), "ja4h"),
    hassh: fingerprintOf(member(member(document, "ssh"), "client"), "hassh"),
    communityId: textOf(member(member(document, "network"), "community_id"), maxFingerprintLength),
    timestampMs: timestampOf(member(document, "@timestamp")),
    tags: tagsOf(member(document, "tags")),
  };
}

/** An own property of an object; undefined if the value is not an object or does not have it. */
export function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function textOf(value: unknown, maxLength: number): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return (value.length <= maxLength ? value : copyOf(startOf(value, maxLength))).toWellFormed();
}

/**
 * The same text in memory of its own. A string that `slice` returns keeps the whole original in memory: 2,000 events of
 * 128 KiB took 570 MB, though only 300 characters of each were stored.
 */
function copyOf(text: string): string {
  return String.fromCharCode(...Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)));
}

function fingerprintOf(parent: unknown, name: string): string | undefined {
  return textOf(member(member(parent, "hash"), name), maxFingerprintLength);
}

function portOf(value: unknown): number | undefined {
  return isIntegerWithin(value, 0, maxPort) ? value : undefined;
}

function asNumberOf(value: unknown): number | undefined {
  return isIntegerWithin(value, 1, Number.MAX_SAFE_INTEGER) ? value : undefined;
}

function countryCodeOf(value: unknown): string | undefined {
  return typeof value === "string" && /^[A-Za-z]{2}$/.test(value) ? value.toUpperCase() : undefined;
}

function locationOf(value: unknown): Location | undefined {
  const lat = member(value, "lat");
  const lon = member(value, "lon");
  return isWithin(lat, 90) && isWithin(lon, 180) ? { lat, lon } : undefined;
}

/** One tag, or a list of them. */
function tagsOf(value: unknown): string | undefined {
  const list = Array.isArray(value) ? value.slice(0, maxTags) : [value];
  const tags = list
    .map((tag) => textOf(tag, maxTagLength)?.replaceAll("\n", " "))
    .filter((tag) => tag !== undefined);
  return tags.length === 0 ? undefined : [...new Set(tags)].toSorted().join("\n");
}

/** RFC 3339 only. Date.parse accepts other forms too, and which ones depends on the engine. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

function timestampOf(value: unknown): number | undefined {
  if (typeof value !== "string" || value.length > maxTimestampLength || !timestamp.test(value))
    return undefined;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}

function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
}

/** False for everything but a number between -bound and bound. */
function isWithin(value: unknown, bound: number): value is number {
  return typeof value === "number" && Math.abs(value) <= bound;
}
