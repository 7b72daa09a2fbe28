import { searchTextOf } from "../../event/search-text.ts";
import { documentOf, type SampledEvent } from "../sampling/sampled-event.ts";

/** The most characters of cached texts (1 or 2 bytes each): those of some seconds, for viewers that read at different times. */
const defaultMaxLength = 8 * 1024 * 1024;
/**
 * After this many events without a request for a text, no viewer is searching: a viewer that searches requests texts every
 * 250 ms, unless it does not read.
 */
const defaultMaxUnused = 10_000;

/**
 * The texts in which viewers search. Each is built once for all viewers, and only while one of them searches.
 *
 * The cache has two generations, and the older one is evicted as a whole. Removing the oldest entries of one Map took 40 µs
 * an event, because iterating a Map begins with the slots of all its removed entries.
 */
export class SearchTexts {
  readonly #maxLength: number;
  readonly #maxUnused: number;
  /** Both by ordinal. */
  #young = new Map<number, string>();
  #old = new Map<number, string>();
  #youngLength = 0;
  /** The number of texts built since one was requested. */
  #unused: number;

  constructor(maxLength = defaultMaxLength, maxUnused = defaultMaxUnused) {
    this.#maxLength = maxLength;
    this.#maxUnused = maxUnused;
    this.#unused = maxUnused;
  }

  /** Builds the text of an event in advance if a viewer searches: with its document at hand that costs half as much. */
  note(event: SampledEvent, document: unknown): void {
    if (this.#unused === this.#maxUnused) return;
    this.#build(event, document);
    this.#unused++;
    if (this.#unused === this.#maxUnused) this.#startGeneration(new Map());
  }

  of(event: SampledEvent): string {
    this.#unused = 0;
    return (
      this.#young.get(event.ordinal) ??
      this.#old.get(event.ordinal) ??
      this.#build(event, documentOf(event.line))
    );
  }

  #build(event: SampledEvent, document: unknown): string {
    const text = searchTextOf(document);
    // A text that is larger than a generation is not cached.
    if (text.length > this.#maxLength / 2) return text;
    if (this.#youngLength + text.length > this.#maxLength / 2) this.#startGeneration(this.#young);
    this.#young.set(event.ordinal, text);
    this.#youngLength += text.length;
    return text;
  }

  #startGeneration(old: Map<number, string>): void {
    this.#old = old;
    this.#young = new Map();
    this.#youngLength = 0;
  }
}
