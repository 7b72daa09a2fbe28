/**
 * Counts of numbers: a hash table with open addressing, because a Map is several times slower with as many numbers, above all
 * with those from 2^31.
 */
export class NumberTable {
  #keys = new Float64Array(1024);
  /** 0: the place is free. */
  #counts = new Float64Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param key not NaN @param events at least 1 */
  add(key: number, events: number): void {
    const place = this.#placeOf(key);
    if (this.#counts[place] === 0) {
      this.#keys[place] = key;
      this.#size++;
    }
    this.#counts[place] = (this.#counts[place] as number) + events;
    if (this.#size * 2 > this.#keys.length) this.#rebuild(this.#keys.length * 2, 1);
  }

  /** Removes the numbers with fewer events. */
  removeBelow(least: number): void {
    this.#rebuild(this.#keys.length, least);
  }

  *[Symbol.iterator](): Generator<[key: number, events: number]> {
    for (const [place, events] of this.#counts.entries())
      if (events > 0) yield [this.#keys[place] as number, events];
  }

  #placeOf(key: number): number {
    const mask = this.#keys.length - 1;
    let place = hashOf(key) & mask;
    while (this.#counts[place] !== 0 && this.#keys[place] !== key) place = (place + 1) & mask;
    return place;
  }

  #rebuild(length: number, least: number): void {
    const [keys, counts] = [this.#keys, this.#counts];
    this.#keys = new Float64Array(length);
    this.#counts = new Float64Array(length);
    this.#size = 0;
    for (let i = 0; i < keys.length; i++) {
      if ((counts[i] as number) < least) continue;
      const place = this.#placeOf(keys[i] as number);
      this.#keys[place] = keys[i] as number;
      this.#counts[place] = counts[i] as number;
      this.#size++;
    }
  }
}

/** Mixes the low 32 bits, with which numbers differ that are counted. */
function hashOf(key: number): number {
  const mixed = Math.imul(key | 0, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
