import { takeLineBuffer } from "../line-buffers.ts";
import type { EnrichBatch, ScannedEvent } from "../pipeline.ts";
import {
  type Addition,
  additionsOf,
  domainAddition,
  type EnrichedField,
  enrichedFields,
  fieldsIn,
  membersToAppend,
} from "./additions.ts";
import { parsePublicAddress } from "./address.ts";
import type { AddressDatabases, LookupResult } from "./databases.ts";
import { FieldCounts, type FieldTally } from "./field-counts.ts";
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
  /** Events that went through, also those that could not be kept afterwards. */
  readonly events: number;
  /** Of these, the ones that got each field, whatever they had of it before. */
  readonly fields: Readonly<Record<EnrichedField, number>>;
}

/** What is added to the events from one `source.ip`, as sensors write it. */
interface KnownSource {
  /** Normalised; undefined: malformed or not public, and nothing is added. */
  readonly address: string | undefined;
  readonly additions: readonly Addition[];
  /** The same, ready to insert. */
  readonly members: Buffer;
  readonly results: Readonly<Record<"geoip" | "asn", LookupResult>>;
  /** Where an event is counted that gets all of them and no name. */
  readonly tally: FieldTally;
}

/** About 500 bytes an entry: at most 16 MB, and room for a day of most sensors' sources. */
const maxYoungAddresses = 16_384;
/** The longest text of an address, RFC 4291 with an IPv4 tail. */
const maxAddressLength = 45;

const nothing = Buffer.alloc(0);
const newline = 0x0a;
const carriageReturn = 0x0d;

export function createEnricher({ databases, reverseDns }: EnricherOptions): Enricher {
  const cache = new GenerationCache<KnownSource>(maxYoungAddresses);
  const fieldCounts = new FieldCounts();
  const counts: EnrichmentCounts = {
    lookups: { geoip: noLookups(), asn: noLookups() },
    cacheHits: 0,
    cacheMisses: 0,
    get events() {
      return fieldCounts.events;
    },
    get fields() {
      const entries = enrichedFields.map((field) => [field, fieldCounts.eventsWith(field)]);
      return Object.fromEntries(entries) as Record<EnrichedField, number>;
    },
  };
  const notLookedUp: KnownSource = {
    address: undefined,
    additions: [],
    members: nothing,
    results: { geoip: "skipped", asn: "skipped" },
    tally: fieldCounts.tallyOf(0),
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
    const tally = fieldCounts.tallyOf(fieldsIn(additions));
    return { address, additions, members: membersToAppend(additions), results, tally };
  }

  function linesOf(body: Buffer, events: readonly ScannedEvent[], sources: readonly KnownSource[]): Buffer {
    const insertions = events.map((event, i) => insertionFor(body, event, sources[i] ?? notLookedUp));
    return body.includes(newline) || body.includes(carriageReturn)
      ? joinWithoutLineBreaks(body, events, insertions)
      : joinLines(body, events, insertions);
  }

  /** What goes into the event's `source`; for one that is enriched already, what takes the place of it. */
  function insertionFor(body: Buffer, event: ScannedEvent, source: KnownSource): Buffer {
    const name = source.address === undefined ? undefined : reverseDns?.known(source.address);
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
    fieldCounts.tallyOf(fields).events++;
    return insertion;
  }

  return { enrich, forgetAddresses: () => cache.clear(), counts };
}

/**
 * Every event on a line of its own, with its insertion. One copy reaches from an event's insertion to the next one's,
 * over the comma between, which becomes the line's end; so does the bracket before the first event, and that line's
 * end is left off.
 */
function joinLines(body: Buffer, events: readonly ScannedEvent[], insertions: readonly Buffer[]): Buffer {
  // What stands between two events is at least a comma, so that their line ends need no room of their own.
  let maxLength = 2 + (events.at(-1)?.end ?? 0) - (events[0]?.start ?? 0);
  for (const insertion of insertions) maxLength += insertion.length;
  const lines = takeLineBuffer(maxLength);
  let at = 0;
  let copied = 0;
  let end = 0;
  let i = 0;
  for (const event of events) {
    const lineEnd = at + end - copied;
    if (event.start !== end + 1) {
      body.copy(lines, at, copied, end);
      at = lineEnd + 1;
      copied = event.start;
    }
    const insertion = insertions[i++] ?? nothing;
    if (insertion.length === 0) {
      at += body.copy(lines, at, copied, event.end);
      copied = event.end;
    } else {
      at += body.copy(lines, at, copied, event.isSourceEnriched ? event.sourceStart : event.sourceEnd);
      at += insertion.copy(lines, at);
      copied = event.isSourceEnriched ? event.sourceEnd + 1 : event.sourceEnd;
    }
    lines[lineEnd] = newline;
    end = event.end;
  }
  at += body.copy(lines, at, copied, end);
  lines[at++] = newline;
  return lines.subarray(1, at);
}

/** The same for a body with line breaks: in a valid document they stand between tokens, so that they can go. */
function joinWithoutLineBreaks(
  body: Buffer,
  events: readonly ScannedEvent[],
  insertions: readonly Buffer[],
): Buffer {
  return Buffer.concat(
    events.map((event, i) => withoutLineBreaks(joinLines(body, [event], [insertions[i] ?? nothing]))),
  );
}

function addressText(body: Buffer, start: number, end: number): string {
  // A longer one is no address, and must not become a long string first; with escapes it takes up to 6 times the room.
  if (end - start > maxAddressLength * 6) return "x".repeat(maxAddressLength + 1);
  const text = body.toString("latin1", start, end);
  return text.includes("\\") ? JSON.parse(`"${text}"`) : text;
}

/** A line without the breaks inside it, in its own memory. */
function withoutLineBreaks(line: Buffer): Buffer {
  let to = 0;
  for (const byte of line) if (byte !== newline && byte !== carriageReturn) line[to++] = byte;
  line[to++] = newline;
  return line.subarray(0, to);
}

function noLookups(): Record<LookupResult, number> {
  return { hit: 0, miss: 0, skipped: 0, error: 0 };
}
