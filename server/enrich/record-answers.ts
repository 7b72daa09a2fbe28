import type { IpAddress } from "../ip-address.ts";
import { writeNetwork, writePlace } from "./additions.ts";
import type { NetworkFacts, PlaceFacts, RecordFacts } from "./database-layouts.ts";
import type { DatabaseReader } from "./database-reader.ts";
import type { ReadResult } from "./database-role.ts";
import { MemberBytes } from "./member-bytes.ts";
import { slotOf } from "./slot-of.ts";

/** "skipped": no database is configured for it. */
export type LookupResult = ReadResult | "skipped";

/** Members of `source`, ready to insert. */
export interface EncodedMembers {
  /** See MemberBytes. */
  readonly bytes: Buffer;
  /** A bit mask; see `enrichedFields`. */
  readonly fields: number;
}

const noMembers: EncodedMembers = { bytes: Buffer.alloc(0), fields: 0 };
const memberBytes = new MemberBytes();

/** What a database knows of an address. Addresses with the same record get the same object. */
export class Answer {
  readonly facts: RecordFacts;
  readonly result: LookupResult;
  /** The offset of the record in the file; 0: there is none. */
  readonly recordOffset: number;
  #network: EncodedMembers | undefined;
  #place: EncodedMembers | undefined;

  constructor(facts: RecordFacts, result: LookupResult, recordOffset: number) {
    this.facts = facts;
    this.result = result;
    this.recordOffset = recordOffset;
  }

  /** What the network adds, encoded once. */
  get network(): EncodedMembers {
    this.#network ??= this.facts.network ? encodedNetwork(this.facts.network) : noMembers;
    return this.#network;
  }

  /** What the place adds, encoded once. */
  get place(): EncodedMembers {
    this.#place ??= this.facts.place ? encodedPlace(this.facts.place) : noMembers;
    return this.#place;
  }
}

function encodedNetwork(network: NetworkFacts): EncodedMembers {
  writeNetwork(network, memberBytes);
  return memberBytes.take();
}

function encodedPlace(place: PlaceFacts): EncodedMembers {
  writePlace(place, memberBytes);
  return memberBytes.take();
}

const nothing: RecordFacts = { network: undefined, place: undefined };
export const skipped = new Answer(nothing, "skipped", 0);
export const miss = new Answer(nothing, "miss", 0);
export const failed = new Answer(nothing, "error", 0);

/**
 * 50,000 random addresses have 16,600 City records. With all caches full, the answers of a City and an ASN database, the facts of
 * their pairs (AddressFactsCache) and the addresses (KnownSources) take 35 MB together.
 */
const slotBits = 15;

/** The records of one database that were read lately. */
export class RecordAnswers {
  readonly #reader: Pick<DatabaseReader, "find" | "readRecord">;
  readonly #isHit: (facts: RecordFacts) => boolean;
  readonly #slots = new Array<Answer | undefined>(2 ** slotBits).fill(undefined);

  constructor(reader: Pick<DatabaseReader, "find" | "readRecord">, isHit: (facts: RecordFacts) => boolean) {
    this.#reader = reader;
    this.#isHit = isHit;
  }

  /** @throws DatabaseError if the record of the address is damaged */
  of(address: IpAddress): Answer {
    const recordOffset = this.#reader.find(address);
    if (recordOffset === 0) return miss;
    const slot = slotOf(recordOffset, slotBits);
    const known = this.#slots[slot];
    if (known?.recordOffset === recordOffset) return known;
    const facts = this.#reader.readRecord(recordOffset);
    const answer = new Answer(facts, this.#isHit(facts) ? "hit" : "miss", recordOffset);
    this.#slots[slot] = answer;
    return answer;
  }
}
