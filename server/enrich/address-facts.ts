import { type Addition, additionsOf } from "./additions.ts";
import type { NetworkFacts, PlaceFacts } from "./database-layouts.ts";
import type { Answer, EncodedMembers, LookupResult } from "./record-answers.ts";
import { slotOf } from "./slot-of.ts";

/** What the databases know of an address. Addresses with the same records get the same object. */
export class AddressFacts {
  /** From the ASN database; if that knows nothing, from the other one. A configured database precedes a built-in one. */
  readonly network: NetworkFacts | undefined;
  readonly place: PlaceFacts | undefined;
  /** Whether each database knew what it is configured for: the place, the network. */
  readonly results: { readonly geoip: LookupResult; readonly asn: LookupResult };
  readonly #inGeoip: Answer;
  readonly #inAsn: Answer;
  readonly #network: EncodedMembers;
  #members: Buffer | undefined;
  #additions: readonly Addition[] | undefined;

  /** @param isAsnBuiltin whether what `inGeoip` knows of the network precedes what `inAsn` knows */
  constructor(inGeoip: Answer, inAsn: Answer, isAsnBuiltin: boolean) {
    const [first, second] = isAsnBuiltin ? [inGeoip, inAsn] : [inAsn, inGeoip];
    const ofNetwork = first.facts.network ? first : second;
    this.network = ofNetwork.facts.network;
    this.place = inGeoip.facts.place;
    this.results = { geoip: inGeoip.result, asn: inAsn.result };
    this.#inGeoip = inGeoip;
    this.#inAsn = inAsn;
    this.#network = ofNetwork.network;
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
    this.#members ??= joined(this.#network.bytes, this.#inGeoip.place.bytes);
    return this.#members;
  }

  /** The fields of the additions, as a bit mask. */
  get fields(): number {
    return this.#network.fields | this.#inGeoip.place.fields;
  }
}

function joined(first: Buffer, second: Buffer): Buffer {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const both = Buffer.allocUnsafeSlow(first.length + second.length);
  first.copy(both, 0, 0, first.length);
  second.copy(both, first.length, 0, second.length);
  return both;
}

/** A pair that is evicted costs little to join again. */
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
