import { addressOfKey, ipv4OfKey, keyOfIpv4 } from "../../address-key.ts";
import type { ColumnKind } from "../../event/columns.ts";
import type { TopValue } from "../../history/history-reader.ts";
import type { ColumnValue, Dictionary } from "../column-codec.ts";
import { PackedAddresses } from "../packed-values.ts";
import { NumberTable } from "./number-table.ts";

export interface ValueLimits {
  /** Numbers and IPv4 addresses. */
  readonly numbers: number;
  /** Texts and IPv6 addresses. */
  readonly texts: number;
  /** Of all texts together. */
  readonly characters: number;
}

/** About 30 MB. */
const defaultLimits: ValueLimits = { numbers: 500_000, texts: 100_000, characters: 8_000_000 };

/** The most frequent values. */
export interface TopCounts {
  /** The most frequent first, those with the same number of events in ascending order. */
  readonly values: readonly TopValue[];
  /** The events with all other values. */
  readonly others: number;
  /** undefined: there are more than were counted. */
  readonly distinct: number | undefined;
}

/**
 * Counts values. If there are too many different ones, those with the fewest events are removed, at least half of them, and
 * counted together. A value that was removed and comes again lacks its earlier events, so that only values that are rare
 * compared with the others may be missing.
 */
export class ValueCounts {
  readonly #kind: ColumnKind;
  readonly #limits: ValueLimits;
  readonly #numbers = new NumberTable();
  readonly #texts = new Map<string, number>();
  #characters = 0;
  #events = 0;
  #isShrunk = false;

  constructor(kind: ColumnKind, limits: ValueLimits = defaultLimits) {
    this.#kind = kind;
    this.#limits = limits;
  }

  /** Adds the values of a dictionary. @param counts the number of events of each */
  addAll(dictionary: Dictionary, counts: Uint32Array): void {
    const { values, size } = dictionary;
    const ipv4 = values instanceof PackedAddresses ? ipv4RangeOf(dictionary) : { from: size, to: size };
    for (let code = 0; code < size; code++) {
      const events = counts[code] as number;
      if (events === 0) continue;
      if (code >= ipv4.from && code < ipv4.to)
        this.#addNumber((values as PackedAddresses).ipv4At(code), events);
      else this.add(values.at(code) as ColumnValue, events);
    }
  }

  add(value: ColumnValue, events: number): void {
    const number =
      typeof value === "number" ? value : this.#kind === "address" ? ipv4OfKey(value) : undefined;
    if (number !== undefined) this.#addNumber(number, events);
    else this.#addText(String(value), events);
  }

  top(limit: number): TopCounts {
    const all = Float64Array.from([...this.#numbers, ...this.#texts], ([, events]) => events).sort();
    const least = all[Math.max(0, all.length - limit)] ?? 0;
    const candidates = [...this.#numbers, ...this.#texts]
      .filter(([, events]) => events >= least)
      .map(([value, events]): [ColumnValue, number] => [this.#valueOf(value), events]);
    const sorted = candidates.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, limit);
    const values = sorted.map(([value, events]) => ({ value: this.#shown(value), events }));
    return {
      values,
      others: this.#events - values.reduce((sum, { events }) => sum + events, 0),
      distinct: this.#isShrunk ? undefined : all.length,
    };
  }

  #addNumber(number: number, events: number): void {
    this.#events += events;
    if (this.#numbers.size >= this.#limits.numbers) {
      this.#isShrunk = true;
      this.#numbers.removeBelow(leastOfHalf([...this.#numbers].map(([, count]) => count)));
    }
    this.#numbers.add(number, events);
  }

  #addText(text: string, events: number): void {
    this.#events += events;
    const known = this.#texts.get(text);
    this.#texts.set(text, (known ?? 0) + events);
    if (known !== undefined) return;
    this.#characters += text.length;
    if (this.#texts.size > this.#limits.texts || this.#characters > this.#limits.characters)
      this.#shrinkTexts();
  }

  #shrinkTexts(): void {
    this.#isShrunk = true;
    const least = leastOfHalf([...this.#texts.values()]);
    for (const [text, events] of this.#texts) {
      if (events >= least) continue;
      this.#texts.delete(text);
      this.#characters -= text.length;
    }
  }

  #valueOf(value: ColumnValue): ColumnValue {
    return typeof value === "number" && this.#kind === "address" ? keyOfIpv4(value) : value;
  }

  #shown(value: ColumnValue): ColumnValue {
    return this.#kind === "address" ? addressOfKey(String(value)) : value;
  }
}

/** The codes of the IPv4 addresses, which follow one another. */
function ipv4RangeOf(dictionary: Dictionary): { readonly from: number; readonly to: number } {
  const last = keyOfIpv4(0xffff_ffff);
  const end = dictionary.lowerBound(last);
  return {
    from: dictionary.lowerBound(keyOfIpv4(0)),
    to: dictionary.values.at(end) === last ? end + 1 : end,
  };
}

/** The least number that at most half of some numbers reach. */
function leastOfHalf(numbers: readonly number[]): number {
  const sorted = Float64Array.from(numbers).sort();
  return (sorted[Math.floor(sorted.length / 2)] ?? 0) + 1;
}
