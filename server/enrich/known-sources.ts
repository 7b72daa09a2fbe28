import type { ScannedEvent } from "../pipeline.ts";
import { type Addition, additionsOf, fieldsIn, membersToAppend } from "./additions.ts";
import { parseAddress, parsePublicAddress } from "./address.ts";
import type { AddressDatabases, AddressFacts, LookupResult } from "./databases.ts";
import type { FieldCounts, FieldTally } from "./field-counts.ts";
import { GenerationCache } from "./generation-cache.ts";

/** What the databases add to the events from one `source.ip`, as sensors write it. */
export interface KnownSource {
  /** Normalised; undefined: the address is malformed or not public, so that no resolver is asked about it. */
  readonly address: string | undefined;
  readonly additions: readonly Addition[];
  /** The additions, ready to insert. */
  readonly members: Buffer;
  readonly results: Readonly<Record<"geoip" | "asn", LookupResult>>;
  /** Counts the events that get all of the additions and no name. */
  readonly tally: FieldTally;
}

/** An entry takes about 500 bytes: at most 16 MB in all, enough for the sources of most sensors on one day. */
const maxYoungAddresses = 16_384;
/** The longest text of an address: RFC 4291 with an IPv4 tail. */
const maxAddressLength = 45;

/** Finds what the databases know about the source of each event. */
export class KnownSources {
  /** Events by database and result; "skipped" if there is no public address or no such database. */
  readonly lookups = { geoip: noLookups(), asn: noLookups() };
  /** How often an address was found in the cache. */
  cacheHits = 0;
  cacheMisses = 0;

  readonly #databases: AddressDatabases | undefined;
  readonly #fieldCounts: FieldCounts;
  readonly #cache = new GenerationCache<KnownSource>(maxYoungAddresses);
  readonly #notLookedUp: KnownSource;

  /** @param databases undefined: no database is configured */
  constructor(databases: AddressDatabases | undefined, fieldCounts: FieldCounts) {
    this.#databases = databases;
    this.#fieldCounts = fieldCounts;
    this.#notLookedUp = {
      address: undefined,
      additions: [],
      members: Buffer.alloc(0),
      results: { geoip: "skipped", asn: "skipped" },
      tally: fieldCounts.tallyOf(0),
    };
  }

  /** @returns the sources of a batch's events, in order */
  ofBatch(body: Buffer, events: readonly ScannedEvent[]): KnownSource[] {
    const generation = this.#databases?.generation ?? 0;
    const { geoip, asn } = this.lookups;
    return events.map((event) => {
      const source = this.#find(body, event, generation);
      geoip[source.results.geoip]++;
      asn[source.results.asn]++;
      return source;
    });
  }

  #find(body: Buffer, event: ScannedEvent, generation: number): KnownSource {
    if (event.ipStart < 0) return this.#notLookedUp;
    const text = addressText(body, event.ipStart, event.ipEnd);
    if (text.length > maxAddressLength) return this.#notLookedUp;
    const cached = this.#cache.get(text, generation);
    if (cached) {
      this.cacheHits++;
      return cached;
    }
    this.cacheMisses++;
    const source = this.#lookUp(text);
    this.#cache.set(text, source, generation);
    return source;
  }

  #lookUp(text: string): KnownSource {
    const address = parsePublicAddress(text);
    if (address === undefined) return this.#lookUpPrivate(text);
    if (!this.#databases) return { ...this.#notLookedUp, address };
    return this.#knownSource(address, this.#databases.lookup(address));
  }

  /** An address that is not public is looked up only in an operator's own databases. */
  #lookUpPrivate(text: string): KnownSource {
    const databases = this.#databases;
    const address = databases?.hasOwnNetworks ? parseAddress(text) : undefined;
    if (!databases || address === undefined) return this.#notLookedUp;
    return this.#knownSource(undefined, databases.lookupPrivate(address));
  }

  #knownSource(address: string | undefined, { network, place, results }: AddressFacts): KnownSource {
    const additions = additionsOf(network, place);
    const tally = this.#fieldCounts.tallyOf(fieldsIn(additions));
    return { address, additions, members: membersToAppend(additions), results, tally };
  }
}

function addressText(body: Buffer, start: number, end: number): string {
  // A longer text is not an address and must not become a long string first. An escaped character takes up to 6 bytes.
  if (end - start > maxAddressLength * 6) return "x".repeat(maxAddressLength + 1);
  const text = body.toString("latin1", start, end);
  return text.includes("\\") ? JSON.parse(`"${text}"`) : text;
}

function noLookups(): Record<LookupResult, number> {
  return { hit: 0, miss: 0, skipped: 0, error: 0 };
}
