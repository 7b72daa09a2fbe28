/*
 * The filter of a viewer of the live tail. The page imports this file too: nothing in it needs Bun or Node.
 */
import { type EventFields, maxAddressLength, maxFingerprintLength } from "../../event/event-fields.ts";

/** An event matches if all conditions that are set hold. Every condition but `text` is the whole value of a field. */
export interface EventFilter {
  readonly sensor?: string;
  /** source.geo.country_iso_code, in capital letters */
  readonly country?: string;
  /** source.as.number */
  readonly asn?: number;
  /** destination.port */
  readonly port?: number;
  /** source.ip */
  readonly address?: string;
  readonly ja4?: string;
  readonly ja4h?: string;
  readonly hassh?: string;
  readonly communityId?: string;
  /** Part of any string of the document, but not of a key; folded by `foldCase`. */
  readonly text?: string;
}

/** The longest sensor id that the configuration allows (config/sensors.ts). */
const maxSensorIdLength = 128;
const maxTextLength = 256;

/** Separates the strings of a search text, so that no text is found across two of them. */
const separator = "\0";

/** Reads a value of a query string; undefined if it is not allowed. */
type ReadValue<Value> = (text: string) => Value | undefined;

type Conditions = { readonly [Name in keyof EventFilter]-?: ReadValue<NonNullable<EventFilter[Name]>> };

const conditions: Conditions = {
  sensor: upTo(maxSensorIdLength),
  country: (text) => (/^[A-Za-z]{2}$/.test(text) ? text.toUpperCase() : undefined),
  asn: (text) => integerOf(/^(?:AS)?([1-9]\d{0,15})$/i.exec(text)?.[1], Number.MAX_SAFE_INTEGER),
  port: (text) => integerOf(/^(0|[1-9]\d{0,4})$/.exec(text)?.[1], 65_535),
  address: upTo(maxAddressLength),
  ja4: upTo(maxFingerprintLength),
  ja4h: upTo(maxFingerprintLength),
  hassh: upTo(maxFingerprintLength),
  communityId: upTo(maxFingerprintLength),
  text: (text) =>
    text !== "" && text.length <= maxTextLength && !text.includes(separator) ? foldCase(text) : undefined,
};

/**
 * Reads a filter from a query string with one parameter for each condition: `?port=22&country=SE`.
 * @returns undefined for an unknown name, a name that occurs twice, and a value that is not allowed
 */
export function parseFilter(params: URLSearchParams): EventFilter | undefined {
  const filter: Partial<Record<keyof EventFilter, string | number>> = {};
  for (const [name, text] of params) {
    if (!isCondition(name) || Object.hasOwn(filter, name)) return undefined;
    const value = conditions[name](text);
    if (value === undefined) return undefined;
    filter[name] = value;
  }
  return filter as EventFilter;
}

/** The query string that `parseFilter` reads as this filter. */
export function filterParams(filter: EventFilter): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(filter))
    if (value !== undefined) params.set(name, String(value));
  return params;
}

/** True if every event matches the filter. */
export function isUnfiltered(filter: EventFilter): boolean {
  return Object.keys(filter).length === 0;
}

/** @param searchText the document's `searchTextOf`; called only if all other conditions hold */
export function matches(
  filter: EventFilter,
  sensorId: string,
  fields: EventFields,
  searchText: () => string,
): boolean {
  return (
    isSame(filter.sensor, sensorId) &&
    isSame(filter.port, fields.port) &&
    isSame(filter.country, fields.countryIsoCode) &&
    isSame(filter.asn, fields.asNumber) &&
    isSame(filter.address, fields.address) &&
    isSame(filter.ja4, fields.ja4) &&
    isSame(filter.ja4h, fields.ja4h) &&
    isSame(filter.hassh, fields.hassh) &&
    isSame(filter.communityId, fields.communityId) &&
    (filter.text === undefined || searchText().includes(filter.text))
  );
}

/** All strings of a document without its keys, folded: the text in which the `text` of a filter is searched. */
export function searchTextOf(document: unknown): string {
  const strings: string[] = [];
  // Not recursive, because an attacker chooses the depth.
  const left: unknown[] = [document];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value === "string") strings.push(value);
    else if (typeof value === "object" && value !== null)
      for (const inner of Object.values(value)) left.push(inner);
  }
  return foldCase(strings.join(separator));
}

/** Texts that differ only in case are folded to the same text. A final sigma becomes the other lower-case sigma. */
export function foldCase(text: string): string {
  return text.toLowerCase().replaceAll("ς", "σ");
}

function isSame(wanted: string | number | undefined, value: string | number | undefined): boolean {
  return wanted === undefined || wanted === value;
}

function isCondition(name: string): name is keyof EventFilter {
  return Object.hasOwn(conditions, name);
}

function upTo(maxLength: number): ReadValue<string> {
  return (text) => (text !== "" && text.length <= maxLength ? text : undefined);
}

function integerOf(digits: string | undefined, max: number): number | undefined {
  if (digits === undefined) return undefined;
  const value = Number(digits);
  return value <= max ? value : undefined;
}
