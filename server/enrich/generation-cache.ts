/**
 * A bounded cache without bookkeeping on a hit: two generations, the young and the old. When the young one is full
 * it becomes the old and what was old and not asked for since is forgotten. Holds at most twice `maxYoung` entries.
 */
export class GenerationCache<Value> {
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  readonly #maxYoung: number;

  constructor(maxYoung: number) {
    this.#maxYoung = maxYoung;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const aged = this.#old.get(key);
    if (aged !== undefined) {
      this.#old.delete(key);
      this.set(key, aged);
    }
    return aged;
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#maxYoung) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
