import type { EventFields, Location } from "../../event/event-fields.ts";
import { startOf } from "../../text/truncate.ts";
import { maxKeyLength } from "./key-length.ts";
import { type SavedCounts, TopCounts } from "./top-counts.ts";

/**
 * The number of values of a field in a closed slice; an open slice has up to twice as many. There are 76 slices: they take
 * 36 MB if all values of all events are different and as long as allowed.
 */
const maxTexts = 64;
/** Ports and countries are shorter and fewer than other values. */
const maxCodes = 128;
const maxPlaces = 128;

export interface Place {
  readonly location: Location | undefined;
  readonly city: string | undefined;
  readonly countryIsoCode: string | undefined;
}

/** The state of a slice as it is saved. */
export interface SavedSlice {
  readonly kept: number;
  readonly sampled: number;
  /** In the order of `#fields`. */
  readonly fields: readonly SavedCounts<unknown>[];
}

/** The counts of the field values of the events in a span of time. */
export class AttackSlice {
  /** The number of events kept in that time. */
  kept = 0;
  /** The number of events that were sampled. */
  sampled = 0;
  readonly countries: TopCounts<string | undefined>;
  readonly networks: TopCounts<string | undefined>;
  readonly addresses: TopCounts<undefined>;
  readonly ports: TopCounts<undefined>;
  readonly paths: TopCounts<undefined>;
  readonly userAgents: TopCounts<undefined>;
  readonly fingerprints: TopCounts<undefined>;
  readonly places: TopCounts<Place>;

  /** @param isBounded false for the result of one query, which merges slices that are bounded */
  constructor(isBounded = true) {
    const bounded = (maxKeys: number) => (isBounded ? maxKeys : Number.POSITIVE_INFINITY);
    this.countries = new TopCounts(bounded(maxCodes));
    this.networks = new TopCounts(bounded(maxTexts));
    this.addresses = new TopCounts(bounded(maxTexts));
    this.ports = new TopCounts(bounded(maxCodes));
    this.paths = new TopCounts(bounded(maxTexts));
    this.userAgents = new TopCounts(bounded(maxTexts));
    this.fingerprints = new TopCounts(bounded(maxTexts));
    this.places = new TopCounts(bounded(maxPlaces));
  }

  add(fields: EventFields): void {
    this.sampled++;
    count(this.countries, fields.countryIsoCode, fields.countryName);
    count(this.networks, fields.asNumber, fields.asOrganizationName);
    count(this.addresses, fields.address, undefined);
    count(this.ports, fields.port, undefined);
    count(this.paths, keyOf(fields.path), undefined);
    count(this.userAgents, keyOf(fields.userAgent), undefined);
    count(this.fingerprints, fingerprintOf(fields), undefined);
    this.#addPlace(fields);
  }

  merge(slice: AttackSlice): void {
    this.kept += slice.kept;
    this.sampled += slice.sampled;
    this.countries.merge(slice.countries);
    this.networks.merge(slice.networks);
    this.addresses.merge(slice.addresses);
    this.ports.merge(slice.ports);
    this.paths.merge(slice.paths);
    this.userAgents.merge(slice.userAgents);
    this.fingerprints.merge(slice.fingerprints);
    this.places.merge(slice.places);
  }

  prune(): void {
    for (const field of this.#fields()) field.prune();
  }

  save(): SavedSlice {
    return { kept: this.kept, sampled: this.sampled, fields: this.#fields().map((field) => field.save()) };
  }

  /** Adds what was saved. */
  restore({ kept, sampled, fields }: SavedSlice): void {
    for (const [i, field] of this.#fields().entries()) {
      const counts = fields[i];
      if (counts) (field as TopCounts<unknown>).restore(counts);
    }
    this.kept += kept;
    this.sampled += sampled;
  }

  /** In the order in which they are saved, which must not change. */
  #fields() {
    const { countries, networks, addresses, ports, paths, userAgents, fingerprints, places } = this;
    return [countries, networks, addresses, ports, paths, userAgents, fingerprints, places] as const;
  }

  #addPlace({ location, cityName, countryIsoCode }: EventFields): void {
    const key = location ? cellOf(location) : countryIsoCode;
    if (key === undefined) this.places.addNone();
    else if (!this.places.increment(key))
      this.places.add(key, { location, city: location && cityName, countryIsoCode });
  }
}

function count<Label>(counts: TopCounts<Label>, key: string | number | undefined, label: Label): void {
  if (key === undefined) counts.addNone();
  else if (!counts.increment(key)) counts.add(key, label);
}

/** One fingerprint for each event, so that the counts add up to the number of events. A payload is TLS, HTTP or SSH. */
function fingerprintOf({ ja4, ja4h, hassh }: EventFields): string | undefined {
  if (ja4 !== undefined) return `ja4:${ja4}`;
  if (ja4h !== undefined) return `ja4h:${ja4h}`;
  return hassh === undefined ? undefined : `hassh:${hassh}`;
}

/** Locations within a hundredth of a degree, about a kilometre, are one place. */
function cellOf({ lat, lon }: Location): number {
  return Math.round((lat + 90) * 100) * 36_001 + Math.round((lon + 180) * 100);
}

function keyOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : startOf(text, maxKeyLength);
}
