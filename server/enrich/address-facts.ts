import { type Addition, additionsOf, writeFacts } from "./additions.ts";
import type { NetworkFacts, PlaceFacts } from "./database-layouts.ts";
import { MemberBytes } from "./member-bytes.ts";
import type { Answer, LookupResult } from "./record-answers.ts";
import { slotOf } from "./slot-of.ts";

const memberBytes = new MemberBytes();

/** What the databases know of an address. Addresses with the same records get the same object. */
export class AddressFacts {
  /** From the ASN database; if that knows nothing, from the other one. A configured database precedes a built-in one. */
  readonly network: NetworkFacts | undefined;
  readonly place: PlaceFacts | undefined;
  /** Whether each database knew what it is configured for: the place, the network. */
  readonly results: { readonly geoip: LookupResult; readonly asn: LookupResult };
  readonly #inGeoip: Answer;
  readonly #inAsn: Answer;
  #additions: readonly Addition[] | undefined;
  #members: Buffer | undefined;
  #fields = 0;

  /** @param isAsnBuiltin whether what `inGeoip` knows of the network precedes what `inAsn` knows */
  constructor(inGeoip: Answer, inAsn: Answer, isAsnBuiltin: boolean) {
    const [first, second] = isAsnBuiltin ? [inGeoip, inAsn] : [inAsn, inGeoip];
    this.network = first.facts.network ?? second.facts.network;
    this.place = inGeoip.facts.place;
    this.results = { geoip: inGeoip.result, asn: inAsn.result };
    this.#inGeoip = inGeoip;
    this.#inAsn = inAsn;
  }

  isOf(inGeoip: Answer, inAsn: Answer): boolean {
    return this.#inGeoip === inGeoip && this.#inAsn === inAsn;
  }

  /** The members of `source`. They are made when they are needed first: most events need only `members`. */
  get additions(): readonly Addition[] {
    this.#additions ??= additionsOf(this.network, this.place);
    return this.#additions;
  }

  /** The additions, ready to insert. */
  get members(): Buffer {
    if (this.#members === undefined) this.#encode();
    return this.#members ?? Buffer.alloc(0);
  }

  /** The fields of the additions, as a bit mask. */
  get fields(): number {
    if (this.#members === undefined) this.#encode();
    return this.#fields;
  }

  #encode(): void {
    writeFacts(this.network, this.place, memberBytes);
    const { members, fields } = memberBytes.take();
    this.#members = members;
    this.#fields = fields;
  }
}

/** An entry takes about 700 bytes: at most 11 MB in all. */
const slotBits = 14;

/** The facts of pairs of records that were found lately. */
export class AddressFactsCache {
  readonly #slots = new Array<AddressFacts | undefined>(2 ** slotBits).fill(undefined);
  #generation = 0;

  /** @param generation if it is another one than before, all facts are evicted. The other parameters: see AddressFacts */
  of(inGeoip: Answer, inAsn: Answer, isAsnBuiltin: boolean, generation: number): AddressFacts {
    if (generation !== this.#generation) {
      this.#slots.fill(undefined);
      this.#generation = generation;
    }
    const slot = slotOf(inGeoip.recordOffset + Math.imul(inAsn.recordOffset, 0x85eb_ca6b), slotBits);
    const known = this.#slots[slot];
    if (known?.isOf(inGeoip, inAsn)) return known;
    const facts = new AddressFacts(inGeoip, inAsn, isAsnBuiltin);
    this.#slots[slot] = facts;
    return facts;
  }
}
