import { wordsOf } from "../json-bytes.ts";
import type { EnrichBatch, EnrichedEvents, ScannedEvent } from "../pipeline.ts";
import {
  type Addition,
  domainAddition,
  type EnrichedField,
  enrichedFields,
  fieldsIn,
  ipAddition,
  membersToAppend,
  sourceAddition,
  tagsAddition,
} from "./additions.ts";
import { applyIgnoreRules, type RemainingEvents } from "./apply-ignore-rules.ts";
import type { AddressDatabases } from "./databases.ts";
import { eventLines, type Splice } from "./event-lines.ts";
import { FieldCounts } from "./field-counts.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import type { KnownScanners } from "./known-scanners.ts";
import { type KnownSource, KnownSources } from "./known-sources.ts";
import { mergeObject } from "./object-merge.ts";
import type { LookupResult } from "./record-answers.ts";
import type { ReverseDns } from "./reverse-dns.ts";
import { knownScannerTag, scannerTags } from "./scanner-entries.ts";
import { SourceAddressFields } from "./source-address.ts";

export interface EnricherOptions {
  /** undefined: no database is configured. */
  readonly databases: AddressDatabases | undefined;
  /** undefined: reverse DNS is off. */
  readonly reverseDns: Pick<ReverseDns, "resolve" | "known" | "confirmedName"> | undefined;
  /** The fields in which events have the address of their source, the preferred one first; default: only `source.ip`. */
  readonly sourceAddressFields?: readonly string[];
  /** Default: no scanner is known. */
  readonly scanners?: KnownScanners | undefined;
  /** Default: no event is ignored. */
  readonly ignoreRules?: IgnoreRules;
}

/** Totals since the start. */
export interface EnrichmentCounts {
  /** Events by database and result; "skipped" if there is no public address or no such database. */
  readonly lookups: Readonly<Record<"geoip" | "asn", Readonly<Record<LookupResult, number>>>>;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** Events that were not ignored, including those that could not be kept afterwards. */
  readonly events: number;
  /** Events that got each field, whether or not they had it before. */
  readonly fields: Readonly<Record<EnrichedField, number>>;
}

/** Adds to each event what databases and reverse DNS know about its source, and applies the `[[ignore]]` rules. */
export class Enricher {
  /** False: nothing is looked up, so that events stay unchanged apart from tags. */
  readonly #addsAddress: boolean;
  readonly #reverseDns: EnricherOptions["reverseDns"];
  readonly #scanners: KnownScanners | undefined;
  readonly #fieldCounts = new FieldCounts();
  readonly #sources: KnownSources;
  readonly counts: EnrichmentCounts;

  constructor(options: EnricherOptions) {
    const { databases, reverseDns, scanners, ignoreRules, sourceAddressFields = ["source.ip"] } = options;
    const fieldCounts = this.#fieldCounts;
    const fields = new SourceAddressFields(sourceAddressFields);
    const sources = new KnownSources({ databases, scanners, ignoreRules, fields, fieldCounts });
    this.#addsAddress = databases !== undefined || reverseDns !== undefined;
    this.#reverseDns = reverseDns;
    this.#scanners = scanners;
    this.#sources = sources;
    this.counts = {
      lookups: sources.lookups,
      get cacheHits() {
        return sources.cacheHits;
      },
      get cacheMisses() {
        return sources.cacheMisses;
      },
      get events() {
        return fieldCounts.events;
      },
      get fields() {
        const entries = enrichedFields.map((field) => [field, fieldCounts.eventsWith(field)]);
        return Object.fromEntries(entries) as Record<EnrichedField, number>;
      },
    };
  }

  readonly enrich: EnrichBatch = (body, events) => {
    const remaining = applyIgnoreRules(events, this.#sources.ofBatch(body, events));
    if (!this.#reverseDns) return this.#enriched(body, remaining);
    const addresses = new Set(
      remaining.sources.map((source) => source.address).filter((address) => address !== undefined),
    );
    return this.#reverseDns.resolve(addresses).then(() => this.#enriched(body, remaining));
  };

  #enriched(body: Buffer, { events, sources, matches }: RemainingEvents): EnrichedEvents {
    const splices = sources.map((source, i) => this.#spliceFor(body, events[i] as ScannedEvent, source));
    return { eventCount: events.length, lines: eventLines(body, events, splices), matches };
  }

  #spliceFor(body: Buffer, event: ScannedEvent, source: KnownSource): Splice {
    const name = source.address === undefined ? undefined : this.#reverseDns?.known(source.address);
    // The address is where it is expected, and source has none of the fields that may have to be merged.
    const isPlain = event.ipStart >= 0 && !event.isSourceEnriched;
    const isUntagged = name === undefined && source.tags.length === 0;
    if (source.text === undefined || (isUntagged && (isPlain || !this.#addsAddress))) {
      source.tally.events++;
      return insertionAt(isPlain ? event.sourceEnd : event.end, source.facts.members);
    }
    const domain = name === undefined ? [] : [domainAddition(name)];
    const allTags = name === undefined ? source.tags : this.#tagsWithName(source);
    const tags = allTags.length === 0 ? [] : [tagsAddition(allTags)];
    if (isPlain && (tags.length === 0 || !event.hasTags))
      return this.#insert(body, event, source, domain, tags);
    const ip = event.ipStart >= 0 || !this.#addsAddress ? [] : [ipAddition(source.text)];
    const members = [...ip, ...source.facts.additions, ...domain];
    return this.#merge(body, event, members.length > 0 ? [sourceAddition(members), ...tags] : tags);
  }

  /** The tags of a source that has a name. A scanner that its network names needs no name. */
  #tagsWithName({ address, tags }: KnownSource): readonly string[] {
    if (address === undefined || tags.includes(knownScannerTag)) return tags;
    const name = this.#reverseDns?.confirmedName(address);
    const scanner = name === undefined ? undefined : this.#scanners?.scannerOfName(name);
    return scanner ? [...scannerTags(scanner), ...tags] : tags;
  }

  /** Inserts additions at the end of `source`, and tags at the end of the event. */
  #insert(
    body: Buffer,
    { sourceEnd, end }: ScannedEvent,
    source: KnownSource,
    domain: readonly Addition[],
    tags: readonly Addition[],
  ): Splice {
    this.#fieldCounts.tallyOf(fieldsIn([...source.facts.additions, ...domain, ...tags])).events++;
    const members = [source.facts.members, membersToAppend(domain)];
    if (tags.length === 0) return insertionAt(sourceEnd, Buffer.concat(members));
    const rest = body.subarray(sourceEnd, end - 1);
    return {
      start: sourceEnd,
      end: end - 1,
      bytes: Buffer.concat([...members, rest, membersToAppend(tags)]),
    };
  }

  /** Merges additions into the whole event. */
  #merge(body: Buffer, { start, end }: ScannedEvent, additions: readonly Addition[]): Splice {
    let fields = fieldsIn(additions);
    const noteLeftOut = (leftOut: Addition) => {
      fields &= ~leftOut.fields;
    };
    const bytes = mergeObject(body, start, end, additions, noteLeftOut, wordsOf(body));
    this.#fieldCounts.tallyOf(fields).events++;
    return { start, end, bytes };
  }
}

function insertionAt(position: number, bytes: Buffer): Splice {
  return { start: position, end: position, bytes };
}
