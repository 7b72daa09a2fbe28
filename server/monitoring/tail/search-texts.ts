import { documentOf, type ExaminedEvent } from "../sampling/sampled-event.ts";
import { searchTextOf } from "./event-filter.ts";

/** The texts in which viewers search, each made once for all of them, and only while somebody searches. */
export interface SearchTexts {
  /**
   * Makes the text of an event whose document is at hand, if somebody searches: that costs half as much as when it is
   * asked for.
   */
  note(event: ExaminedEvent, document: unknown): void;
  of(event: ExaminedEvent): string;
}

/** Of all that are kept, in characters of a byte or two: those of some seconds, for viewers who look at different times. */
const defaultMaxLength = 8 * 1024 * 1024;
/** When so many events came and nobody asked for a text, nobody searches: whoever does is there every 250 ms, or stuck. */
const defaultMaxUnasked = 10_000;

/**
 * Texts are kept in two generations, and the older one goes as a whole. To remove the oldest of a Map one by one cost
 * 40 µs an event: iterating begins with the places of all that were removed.
 */
export function createSearchTexts(maxLength = defaultMaxLength, maxUnasked = defaultMaxUnasked): SearchTexts {
  /** By ordinal. */
  let young = new Map<number, string>();
  let old = new Map<number, string>();
  let youngLength = 0;
  let unasked = maxUnasked;

  function make(event: ExaminedEvent, document: unknown): string {
    const text = searchTextOf(document);
    // One that is larger than a generation is made anew each time.
    if (text.length > maxLength / 2) return text;
    if (youngLength + text.length > maxLength / 2) startGeneration(young);
    young.set(event.ordinal, text);
    youngLength += text.length;
    return text;
  }

  function startGeneration(before: Map<number, string>): void {
    old = before;
    young = new Map();
    youngLength = 0;
  }

  return {
    note(event, document) {
      if (unasked === maxUnasked) return;
      make(event, document);
      unasked++;
      if (unasked < maxUnasked) return;
      startGeneration(new Map());
    },
    of(event) {
      unasked = 0;
      return young.get(event.ordinal) ?? old.get(event.ordinal) ?? make(event, documentOf(event.line));
    },
  };
}
