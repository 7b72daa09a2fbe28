/*
 * Values of one column that are in the file already, so that most events need no look-up. Bounded by number and by text, because
 * attackers choose paths and user agents.
 */

const maxValues = 65_536;
/** 1 MiB, or 2 MiB for text that is not Latin-1. */
const maxCharacters = 1_048_576;

export class KnownValues {
  readonly #firsts = new Map<string | number, number>();
  #characters = 0;

  /** Since which second a value is known. */
  get(value: string | number): number | undefined {
    return this.#firsts.get(value);
  }

  /** Adds a value, and forgets all others if there are too many. */
  set(value: string | number, first: number): void {
    const length = typeof value === "string" ? value.length : 0;
    if (this.#firsts.size >= maxValues || this.#characters + length > maxCharacters) this.clear();
    if (!this.#firsts.has(value)) this.#characters += length;
    this.#firsts.set(value, first);
  }

  clear(): void {
    this.#firsts.clear();
    this.#characters = 0;
  }
}
