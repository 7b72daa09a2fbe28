/**
 * A bounded cache of values that were computed from a source with a generation number, such as a database that may be
 * replaced. When the source's generation changes, every value is evicted.
 *
 * A hit costs no bookkeeping: entries live in two maps, a young and an old one. When the young map is full it becomes
 * the old one, and the entries of the former old map that were not read since are evicted. The cache holds at most
 * twice `maxYoung` entries.
 */
export class GenerationCache<Value extends NonNullable<unknown>> {
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #generation = 0;
  readonly #maxYoung: number;

  constructor(maxYoung: number) {
    this.#maxYoung = maxYoung;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** @param generation the source's generation now */
  get(key: string, generation: number): Value | undefined {
    if (generation !== this.#generation) this.#evictAll(generation);
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const aged = this.#old.get(key);
    if (aged !== undefined) {
      this.#old.delete(key);
      this.#store(key, aged);
    }
    return aged;
  }

  /** @param generation the generation of the source that the value was computed from */
  set(key: string, value: Value, generation: number): void {
    if (generation !== this.#generation) this.#evictAll(generation);
    this.#store(key, value);
  }

  #store(key: string, value: Value): void {
    if (this.#young.size >= this.#maxYoung) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  #evictAll(generation: number): void {
    this.#young.clear();
    this.#old.clear();
    this.#generation = generation;
  }
}
