/** A value of a field: a string, or a number if the field has numbers. */
export type CountKey = string | number;

export interface Counted<Label> {
  readonly key: CountKey;
  readonly count: number;
  readonly label: Label;
}

/** The state of a TopCounts as it is saved. */
export interface SavedCounts<Label> {
  readonly other: number;
  readonly none: number;
  readonly counts: readonly (readonly [key: CountKey, count: number, label?: Label])[];
}

/**
 * Counts the values of a field: each of the most frequent values on its own, and all others together in `other`. An attacker
 * chooses the values, so at most `2 * maxKeys` of them are held. A value that is pruned and occurs again begins at 0.
 * Therefore a count may be too low, by up to `other`, but never too high. The counts, `other` and `none` always add up to
 * the number of events counted.
 */
export class TopCounts<Label> {
  readonly #maxKeys: number;
  readonly #counts = new Map<CountKey, { count: number; readonly label: Label }>();
  #other = 0;
  #none = 0;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** The number of events with values that are not held. */
  get other(): number {
    return this.#other;
  }

  /** The number of events without a value. */
  get none(): number {
    return this.#none;
  }

  get size(): number {
    return this.#counts.size;
  }

  addNone(): void {
    this.#none++;
  }

  /** Counts a value that is held already. @returns false if it is not held; the caller then calls `add` */
  increment(key: CountKey): boolean {
    const counted = this.#counts.get(key);
    if (!counted) return false;
    counted.count++;
    return true;
  }

  add(key: CountKey, label: Label, count = 1): void {
    const counted = this.#counts.get(key);
    if (counted) counted.count += count;
    else {
      this.#counts.set(key, { count, label });
      if (this.#counts.size >= this.#maxKeys * 2) this.prune();
    }
  }

  countOf(key: CountKey): number {
    return this.#counts.get(key)?.count ?? 0;
  }

  merge(counts: TopCounts<Label>): void {
    for (const [key, { count, label }] of counts.#counts) this.add(key, label, count);
    this.#other += counts.#other;
    this.#none += counts.#none;
  }

  save(): SavedCounts<Label> {
    const counts = Array.from(this.#counts, ([key, { count, label }]) => [key, count, label] as const);
    return { other: this.#other, none: this.#none, counts };
  }

  /** Adds what was saved. */
  restore({ other, none, counts }: SavedCounts<Label>): void {
    // JSON has null for a label that is undefined.
    for (const [key, count, label] of counts) this.add(key, (label ?? undefined) as Label, count);
    this.#other += other;
    this.#none += none;
  }

  /** Moves all but the `maxKeys` most frequent values to `other`. */
  prune(): void {
    if (this.#counts.size <= this.#maxKeys) return;
    const sorted = Float64Array.from(this.#counts.values(), ({ count }) => count).sort();
    const least = sorted[sorted.length - this.#maxKeys] ?? 0;
    let roomForLeast = this.#maxKeys - sorted.reduce((sum, count) => sum + (count > least ? 1 : 0), 0);
    for (const [key, { count }] of this.#counts) {
      if (count > least || (count === least && roomForLeast-- > 0)) continue;
      this.#counts.delete(key);
      this.#other += count;
    }
  }

  /** The most frequent values, and the number of events with other values. */
  top(maxListed: number): { readonly listed: readonly Counted<Label>[]; readonly other: number } {
    const all = Array.from(this.#counts, ([key, { count, label }]) => ({ key, count, label }));
    const listed = all.sort((a, b) => b.count - a.count).slice(0, maxListed);
    const unlisted = all.slice(maxListed).reduce((sum, { count }) => sum + count, 0);
    return { listed, other: this.#other + unlisted };
  }
}
