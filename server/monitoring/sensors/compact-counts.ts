/** The most numbers that are held. When another one is added, the less frequent half is pruned. */
const slots = 32;
const maxNumber = 0xffff_ffff;

/** The state of a CompactCounts as it is saved. */
export interface SavedNumbers {
  readonly other: number;
  readonly none: number;
  readonly held: readonly (readonly [number: number, count: number])[];
}

/**
 * Counts numbers: each of the most frequent ones on its own, and all others together. It takes a third of a kilobyte,
 * because every sensor has several of them. A number that is pruned and occurs again begins at 0.
 */
export class CompactCounts {
  /** The numbers, followed by their counts: one array takes less memory than two. */
  readonly #held = new Uint32Array(2 * slots);
  #used = 0;
  #other = 0;
  #none = 0;

  /** @param number 0 to 4294967295; undefined counts as `none`, any other number as `other` */
  add(number: number | undefined): void {
    if (number === undefined) this.#none++;
    else if (number >= 0 && number <= maxNumber) this.#addTimes(number, 1);
    else this.#other++;
  }

  merge(counts: CompactCounts): void {
    for (const { number, count } of counts.held()) this.#addTimes(number, count);
    this.#other += counts.#other;
    this.#none += counts.#none;
  }

  save(): SavedNumbers {
    const held = this.held().map(({ number, count }) => [number, count] as const);
    return { other: this.#other, none: this.#none, held };
  }

  /** Adds what was saved. */
  restore({ other, none, held }: SavedNumbers): void {
    for (const [number, count] of held) this.#addTimes(number, count);
    this.#other += other;
    this.#none += none;
  }

  /** The most frequent number first. */
  held(): { readonly number: number; readonly count: number }[] {
    const held = Array.from(this.#held.subarray(0, this.#used), (number, slot) => ({
      number,
      count: this.#held[slots + slot] ?? 0,
    }));
    return held.sort((a, b) => b.count - a.count);
  }

  get other(): number {
    return this.#other;
  }

  get none(): number {
    return this.#none;
  }

  #addTimes(number: number, count: number): void {
    let slot = 0;
    while (slot < this.#used && this.#held[slot] !== number) slot++;
    if (slot === slots) {
      this.#prune();
      slot = this.#used;
    }
    if (slot < this.#used) this.#put(slot, number, (this.#held[slots + slot] ?? 0) + count);
    else this.#put(this.#used++, number, count);
  }

  #prune(): void {
    const held = this.held();
    this.#used = slots / 2;
    for (const [slot, { number, count }] of held.entries()) {
      if (slot < this.#used) this.#put(slot, number, count);
      else this.#other += count;
    }
  }

  #put(slot: number, number: number, count: number): void {
    this.#held[slot] = number;
    this.#held[slots + slot] = count;
  }
}
