import { maxAddressLength } from "../ip-address.ts";
import type { ScannedEvent } from "../pipeline.ts";
import { type Addition, additionsOf, fieldsIn, membersToAppend } from "./additions.ts";
import { parseSourceAddress } from "./address.ts";
import type { AddressDatabases, LookupResult } from "./databases.ts";
import type { FieldCounts, FieldTally } from "./field-counts.ts";
import { GenerationCache } from "./generation-cache.ts";
import type { IgnoreRule, IgnoreRules } from "./ignore-rules.ts";
import type { KnownScanners } from "./known-scanners.ts";
import { scannerTags } from "./scanner-entries.ts";
import { mayBeAddress, type SourceAddressFields } from "./source-address.ts";

/** What is known about the events from one address. */
export interface KnownSource {
  /** The address as sensors write it; undefined: it is malformed. */
  readonly text: string | undefined;
  /** Normalised; undefined: the address is malformed or not public, so that no resolver is asked about it. */
  readonly address: string | undefined;
  readonly additions: readonly Addition[];
  /** The additions, ready to insert. */
  readonly members: Buffer;
  /** Added to the `tags` of the event. */
  readonly tags: readonly string[];
  /** undefined: no rule has the address. */
  readonly rule: IgnoreRule | undefined;
  readonly results: Readonly<Record<"geoip" | "asn", LookupResult>>;
  /** Counts the events that get all of the additions and no name. */
  readonly tally: FieldTally;
}

/** An entry takes about 500 bytes: at most 16 MB in all, enough for the sources of most sensors on one day. */
const maxYoungAddresses = 16_384;
const notLookedUp = { geoip: "skipped", asn: "skipped" } as const;

export interface KnownSourcesOptions {
  /** undefined: no database is configured. */
  readonly databases: AddressDatabases | undefined;
  /** Where events have their address. */
  readonly fields: SourceAddressFields;
  /** undefined: no scanner is known. */
  readonly scanners: KnownScanners | undefined;
  /** undefined: there are no rules, not even after a reload. */
  readonly ignoreRules: Pick<IgnoreRules, "ruleFor" | "generation"> | undefined;
  readonly fieldCounts: FieldCounts;
}

/** Finds what is known about the source of each event. */
export class KnownSources {
  /** Events that are not ignored, by database and result; "skipped" if there is no public address or no such database. */
  readonly lookups = { geoip: noLookups(), asn: noLookups() };
  /** How often an address was found in the cache. */
  cacheHits = 0;
  cacheMisses = 0;

  readonly #options: KnownSourcesOptions;
  readonly #cache = new GenerationCache<KnownSource>(maxYoungAddresses);
  readonly #notLookedUp: KnownSource;

  constructor(options: KnownSourcesOptions) {
    this.#options = options;
    this.#notLookedUp = {
      text: undefined,
      address: undefined,
      additions: [],
      members: Buffer.alloc(0),
      tags: [],
      rule: undefined,
      results: notLookedUp,
      tally: options.fieldCounts.tallyOf(0),
    };
  }

  /** @returns the sources of a batch's events, in order */
  ofBatch(body: Buffer, events: readonly ScannedEvent[]): KnownSource[] {
    const { databases, ignoreRules } = this.#options;
    const generation = (databases?.generation ?? 0) + (ignoreRules?.generation ?? 0);
    const { geoip, asn } = this.lookups;
    return events.map((event) => {
      const source = this.#ofEvent(body, event, generation);
      if (source.rule?.action === "drop") return source;
      geoip[source.results.geoip]++;
      asn[source.results.asn]++;
      return source;
    });
  }

  #ofEvent(body: Buffer, event: ScannedEvent, generation: number): KnownSource {
    const { fields } = this.#options;
    if (event.ipStart >= 0 && fields.isSourceIpFirst) {
      const text = addressText(body, event.ipStart, event.ipEnd);
      const source = text === undefined ? this.#notLookedUp : this.#find(text, generation);
      if (source.text !== undefined) return source;
    }
    const text = fields.find(body, event.start);
    return text === undefined ? this.#notLookedUp : this.#find(text, generation);
  }

  #find(text: string, generation: number): KnownSource {
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
    const { databases, scanners, ignoreRules, fieldCounts } = this.#options;
    const parsed = parseSourceAddress(text);
    if (parsed === undefined) return this.#notLookedUp;
    const { text: address, isPublic } = parsed;
    const facts = isPublic
      ? databases?.lookup(address)
      : databases?.hasOwnNetworks
        ? // An address that is not public is looked up only in an operator's own databases.
          databases.lookupPrivate(address)
        : undefined;
    const additions = additionsOf(facts?.network, facts?.place);
    const scanner = scanners?.scannerOf(address, facts?.network?.asNumber);
    const rule = ignoreRules?.ruleFor(text);
    const tags = new Set(scanner ? scannerTags(scanner) : []);
    if (rule?.action === "tag") tags.add(rule.tag);
    return {
      text,
      address: isPublic ? address : undefined,
      additions,
      members: membersToAppend(additions),
      tags: [...tags],
      rule,
      results: facts?.results ?? notLookedUp,
      tally: fieldCounts.tallyOf(fieldsIn(additions)),
    };
  }
}

function addressText(body: Buffer, start: number, end: number): string | undefined {
  if (!mayBeAddress(start, end)) return undefined;
  const text = body.toString("latin1", start, end);
  return text.includes("\\") ? JSON.parse(`"${text}"`) : text;
}

function noLookups(): Record<LookupResult, number> {
  return { hit: 0, miss: 0, skipped: 0, error: 0 };
}
