import type { IpAddress } from "../ip-address.ts";
import type { RecordFacts } from "./database-layouts.ts";
import type { DatabaseReader } from "./database-reader.ts";
import type { ReadResult } from "./database-role.ts";
import { slotOf } from "./slot-of.ts";

/** "skipped": no database is configured for it. */
export type LookupResult = ReadResult | "skipped";

/** What a database knows of an address. Addresses with the same record get the same object. */
export interface Answer {
  readonly facts: RecordFacts;
  readonly result: LookupResult;
  /** The offset of the record in the file; 0: there is none. */
  readonly recordOffset: number;
}

const nothing: RecordFacts = { network: undefined, place: undefined };
export const skipped: Answer = { facts: nothing, result: "skipped", recordOffset: 0 };
export const miss: Answer = { facts: nothing, result: "miss", recordOffset: 0 };
export const failed: Answer = { facts: nothing, result: "error", recordOffset: 0 };

/** An answer takes about 1 KB: at most 16 MB for each database. 50,000 random addresses have 16,600 City records. */
const slotBits = 14;

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
    const answer: Answer = { facts, result: this.#isHit(facts) ? "hit" : "miss", recordOffset };
    this.#slots[slot] = answer;
    return answer;
  }
}
