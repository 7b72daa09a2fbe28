import type { EnrichBatch, ScannedEvent } from "../pipeline.ts";
import {
  domainAddition,
  type EnrichedField,
  enrichedFields,
  fieldsIn,
  membersToAppend,
} from "./additions.ts";
import type { AddressDatabases, LookupResult } from "./databases.ts";
import { eventLines } from "./event-lines.ts";
import { FieldCounts } from "./field-counts.ts";
import { type KnownSource, KnownSources } from "./known-sources.ts";
import type { ReverseDns } from "./reverse-dns.ts";
import { mergeObject } from "./source-merge.ts";

export interface EnricherOptions {
  /** undefined: no database is configured. */
  readonly databases: AddressDatabases | undefined;
  /** undefined: reverse DNS is off. */
  readonly reverseDns: Pick<ReverseDns, "resolve" | "known"> | undefined;
}

/** Totals since the start. */
export interface EnrichmentCounts {
  /** Events by database and result; "skipped" if there is no public address or no such database. */
  readonly lookups: Readonly<Record<"geoip" | "asn", Readonly<Record<LookupResult, number>>>>;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** Events that were enriched, including those that could not be kept afterwards. */
  readonly events: number;
  /** Events that got each field, whether or not they had it before. */
  readonly fields: Readonly<Record<EnrichedField, number>>;
}

/** Adds to each event what databases and reverse DNS know about its source. */
export class Enricher {
  readonly #reverseDns: EnricherOptions["reverseDns"];
  readonly #fieldCounts = new FieldCounts();
  readonly #sources: KnownSources;
  readonly counts: EnrichmentCounts;

  constructor({ databases, reverseDns }: EnricherOptions) {
    const fieldCounts = this.#fieldCounts;
    const sources = new KnownSources(databases, fieldCounts);
    this.#reverseDns = reverseDns;
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
    const sources = this.#sources.ofBatch(body, events);
    if (!this.#reverseDns) return this.#linesOf(body, events, sources);
    const addresses = new Set(
      sources.map((source) => source.address).filter((address) => address !== undefined),
    );
    return this.#reverseDns.resolve(addresses).then(() => this.#linesOf(body, events, sources));
  };

  #linesOf(body: Buffer, events: readonly ScannedEvent[], sources: readonly KnownSource[]): Buffer {
    const insertions = sources.map((source, i) =>
      this.#insertionFor(body, events[i] as ScannedEvent, source),
    );
    return eventLines(body, events, insertions);
  }

  /** @returns the bytes to insert into the event's `source`, or to replace it with if it is enriched already */
  #insertionFor(body: Buffer, event: ScannedEvent, source: KnownSource): Buffer {
    const name = source.address === undefined ? undefined : this.#reverseDns?.known(source.address);
    if (name === undefined && (source.members.length === 0 || !event.isSourceEnriched)) {
      source.tally.events++;
      return source.members;
    }
    const domain = name === undefined ? [] : [domainAddition(name)];
    const additions = [...source.additions, ...domain];
    let fields = fieldsIn(additions);
    const insertion = event.isSourceEnriched
      ? mergeObject(body, event.sourceStart, event.sourceEnd + 1, additions, (leftOut) => {
          fields &= ~leftOut.fields;
        })
      : Buffer.concat([source.members, membersToAppend(domain)]);
    this.#fieldCounts.tallyOf(fields).events++;
    return insertion;
  }
}
