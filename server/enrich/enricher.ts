import { BACKSLASH } from "../json-bytes.ts";
import type { EnrichBatch, ScannedEvent } from "../stages.ts";
import { type Addition, additionsOf, domainAddition, membersToAppend } from "./additions.ts";
import { parsePublicAddress } from "./address.ts";
import type { AddressDatabases, LookupResult } from "./databases.ts";
import { GenerationCache } from "./generation-cache.ts";
import type { ReverseDns } from "./reverse-dns.ts";
import { mergeObject } from "./source-merge.ts";

export interface EnricherOptions {
  /** undefined: no database is configured. */
  readonly databases: AddressDatabases | undefined;
  /** undefined: reverse DNS is off. */
  readonly reverseDns: ReverseDns | undefined;
}

export interface Enricher {
  readonly enrich: EnrichBatch;
  /** Forgets what the databases said: they were replaced. */
  forgetAddresses(): void;
  readonly counts: EnrichmentCounts;
}

/** How often what happened to an event's source, since the start. */
export interface EnrichmentCounts {
  /** By database, an event each; "skipped" where there is no public address or no such database. */
  readonly lookups: Record<"geoip" | "asn", Record<LookupResult, number>>;
  cacheHits: number;
  cacheMisses: number;
}

/** What is added to the events from one `source.ip`, as sensors write it. */
interface KnownSource {
  /** Normalised; undefined: malformed or not public, and nothing is added. */
  readonly address: string | undefined;
  readonly additions: readonly Addition[];
  /** The same, ready to insert. */
  readonly members: Buffer;
  readonly results: Readonly<Record<"geoip" | "asn", LookupResult>>;
}

/** About 500 bytes an entry: at most 16 MB, and room for a day of most sensors' sources. */
const maxYoungAddresses = 16_384;
/** The longest text of an address, RFC 4291 with an IPv4 tail. */
const maxAddressLength = 45;

const nothing = Buffer.alloc(0);
const newline = 0x0a;
const carriageReturn = 0x0d;
const notLookedUp: KnownSource = {
  address: undefined,
  additions: [],
  members: nothing,
  results: { geoip: "skipped", asn: "skipped" },
};

export function createEnricher({ databases, reverseDns }: EnricherOptions): Enricher {
  const cache = new GenerationCache<KnownSource>(maxYoungAddresses);
  const counts: EnrichmentCounts = {
    lookups: { geoip: noLookups(), asn: noLookups() },
    cacheHits: 0,
    cacheMisses: 0,
  };

  function enrich(body: Buffer, events: readonly ScannedEvent[]): Buffer | Promise<Buffer> {
    const sources = events.map((event) => sourceOf(body, event));
    if (!reverseDns) return linesOf(body, events, sources);
    const addresses = new Set(
      sources.map((source) => source.address).filter((address) => address !== undefined),
    );
    return reverseDns.resolve(addresses).then(() => linesOf(body, events, sources));
  }

  function sourceOf(body: Buffer, event: ScannedEvent): KnownSource {
    const source = knownSource(body, event);
    counts.lookups.geoip[source.results.geoip]++;
    counts.lookups.asn[source.results.asn]++;
    return source;
  }

  function knownSource(body: Buffer, event: ScannedEvent): KnownSource {
    if (event.ipStart < 0) return notLookedUp;
    const text = addressText(body, event.ipStart, event.ipEnd);
    if (text.length > maxAddressLength) return notLookedUp;
    const cached = cache.get(text);
    if (cached) {
      counts.cacheHits++;
      return cached;
    }
    counts.cacheMisses++;
    const source = lookUp(text);
    cache.set(text, source);
    return source;
  }

  function lookUp(text: string): KnownSource {
    const address = parsePublicAddress(text);
    if (address === undefined) return notLookedUp;
    if (!databases) return { ...notLookedUp, address };
    const { network, place, results } = databases.lookup(address);
    const additions = additionsOf(network, place);
    return { address, additions, members: membersToAppend(additions), results };
  }

  /** Every event on a line of its own, with what is known of its source. */
  function linesOf(body: Buffer, events: readonly ScannedEvent[], sources: readonly KnownSource[]): Buffer {
    const hasLineBreaks = body.includes(newline) || body.includes(carriageReturn);
    const insertions = events.map((event, i) => insertionFor(body, event, sources[i] ?? notLookedUp));
    let length = 0;
    for (const [i, event] of events.entries()) {
      const insertion = insertions[i];
      length += event.end - event.start + 1;
      if (insertion) length += insertion.bytes.length - (insertion.until - insertion.at);
    }
    const lines = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const [i, event] of events.entries()) {
      const start = at;
      const insertion = insertions[i];
      if (insertion) {
        at += body.copy(lines, at, event.start, insertion.at);
        at += insertion.bytes.copy(lines, at);
        at += body.copy(lines, at, insertion.until, event.end);
      } else {
        at += body.copy(lines, at, event.start, event.end);
      }
      if (hasLineBreaks) at = withoutLineBreaks(lines, start, at);
      lines[at++] = newline;
    }
    return lines.subarray(0, at);
  }

  function insertionFor(body: Buffer, event: ScannedEvent, source: KnownSource): Insertion | undefined {
    const name = source.address === undefined ? undefined : reverseDns?.known(source.address);
    if (source.members.length === 0 && name === undefined) return undefined;
    const domain = name === undefined ? [] : [domainAddition(name)];
    if (event.isSourceEnriched) {
      const { sourceStart, sourceEnd } = event;
      const bytes = mergeObject(body, sourceStart, sourceEnd + 1, [...source.additions, ...domain]);
      return { at: sourceStart, until: sourceEnd + 1, bytes };
    }
    const bytes =
      name === undefined ? source.members : Buffer.concat([source.members, membersToAppend(domain)]);
    return { at: event.sourceEnd, until: event.sourceEnd, bytes };
  }

  return { enrich, forgetAddresses: () => cache.clear(), counts };
}

/** Bytes to put in place of the body's bytes from `at` up to `until`. */
interface Insertion {
  readonly at: number;
  readonly until: number;
  readonly bytes: Buffer;
}

function addressText(body: Buffer, start: number, end: number): string {
  // A longer one is no address, and must not become a long string first; with escapes it takes up to 6 times the room.
  if (end - start > maxAddressLength * 6) return "x".repeat(maxAddressLength + 1);
  const text = body.toString("latin1", start, end);
  return body.subarray(start, end).includes(BACKSLASH) ? JSON.parse(`"${text}"`) : text;
}

/** Line breaks of a valid document stand between tokens, so that they can go. @returns the new end. */
function withoutLineBreaks(bytes: Buffer, start: number, end: number): number {
  let to = start;
  for (let from = start; from < end; from++) {
    const byte = bytes[from] as number;
    if (byte !== newline && byte !== carriageReturn) bytes[to++] = byte;
  }
  return to;
}

function noLookups(): Record<LookupResult, number> {
  return { hit: 0, miss: 0, skipped: 0, error: 0 };
}
