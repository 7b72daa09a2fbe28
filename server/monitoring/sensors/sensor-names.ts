import type { Change, SavedEntries } from "../saved-state/saved-entries.ts";

/** The most names of networks, and of countries, of all sensors together. */
const maxNames = 8192;

/** The names of numbers. When there are too many, the one that was learned first is evicted. */
export class SensorNames {
  readonly #kind: string;
  readonly #names = new Map<number, string>();
  #hasNew = false;

  /** @param kind of the saved entry */
  constructor(kind: string, saved?: SavedEntries) {
    this.#kind = kind;
    saved?.each(kind, (names) => {
      for (const [number, name] of names as [number, string][]) this.learn(number, name);
    });
    this.#hasNew = false;
  }

  learn(number: number | undefined, name: string | undefined): void {
    if (number === undefined || name === undefined || this.#names.has(number)) return;
    if (this.#names.size >= maxNames) {
      const [first] = this.#names.keys();
      if (first !== undefined) this.#names.delete(first);
    }
    this.#names.set(number, name);
    this.#hasNew = true;
  }

  of(number: number): string | null {
    return this.#names.get(number) ?? null;
  }

  *changes(): Iterable<Change> {
    if (this.#hasNew) yield { kind: this.#kind, key: "", value: [...this.#names] };
    this.#hasNew = false;
  }
}
