import { maxAddressLength } from "../ip-address.ts";
import type { ScannedEvent } from "../pipeline.ts";
import { parseSourceAddress } from "./address.ts";
import { AddressFacts } from "./address-facts.ts";
import type { AddressDatabases } from "./databases.ts";
import type { FieldCounts, FieldTally } from "./field-counts.ts";
import { GenerationCache } from "./generation-cache.ts";
import type { IgnoreRule, IgnoreRules } from "./ignore-rules.ts";
import type { KnownScanners } from "./known-scanners.ts";
import { type LookupResult, skipped } from "./record-answers.ts";
import { type Scanner, scannerTags } from "./scanner-entries.ts";
import { mayBeAddress, type SourceAddressFields } from "./source-address.ts";

/** What is known about the events from one address. */
export interface KnownSource {
  /** The address as sensors write it; undefined: it is malformed. */
  readonly text: string | undefined;
  /** Normalised; undefined: the address is malformed or not public, so that no resolver is asked about it. */
  readonly address: string | undefined;
  readonly facts: AddressFacts;
  /** Added to the `tags` of the event. */
  readonly tags: readonly string[];
  /** undefined: no rule has the address. */
  readonly rule: IgnoreRule | undefined;
  /** Counts the events that get all of the additions and no name. */
  readonly tally: FieldTally;
}

/** At most twice as many are kept (GenerationCache), enough for the sources of most sensors on one day. */
const maxYoungAddresses = 16_384;
const noFacts = new AddressFacts(skipped, skipped, false);
const noTags: readonly string[] = [];

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
      facts: noFacts,
      tags: noTags,
      rule: undefined,
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
      geoip[source.facts.results.geoip]++;
      asn[source.facts.results.asn]++;
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
    const { network, fields } = facts ?? noFacts;
    const scanner = scanners?.scannerOf(address, network?.asNumber);
    const rule = ignoreRules?.ruleFor(text);
    return {
      text,
      address: isPublic ? address : undefined,
      facts: facts ?? noFacts,
      tags: scanner || rule ? tagsOf(scanner, rule) : noTags,
      rule,
      tally: fieldCounts.tallyOf(fields),
    };
  }
}

function tagsOf(scanner: Scanner | undefined, rule: IgnoreRule | undefined): readonly string[] {
  const tags = new Set(scanner ? scannerTags(scanner) : []);
  if (rule?.action === "tag") tags.add(rule.tag);
  return [...tags];
}

function addressText(body: Buffer, start: number, end: number): string | undefined {
  if (!mayBeAddress(start, end)) return undefined;
  const text = body.toString("latin1", start, end);
  return text.includes("\\") ? JSON.parse(`"${text}"`) : text;
}

function noLookups(): Record<LookupResult, number> {
  return { hit: 0, miss: 0, skipped: 0, error: 0 };
}
