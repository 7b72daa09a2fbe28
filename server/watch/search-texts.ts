import { searchTextOf } from "./event-filter.ts";
import { documentOf, type ExaminedEvent } from "./examined-event.ts";

/** The texts in which viewers search, each made once for all of them, and only when somebody searches. */
export interface SearchTexts {
  of(event: ExaminedEvent): string;
  /** Nobody searches any more. */
  forget(): void;
}

/** Of all that are kept; a character takes one byte or two. */
const defaultMaxLength = 16 * 1024 * 1024;

export function createSearchTexts(maxLength = defaultMaxLength): SearchTexts {
  /** By ordinal, in the order in which they were made. */
  const texts = new Map<number, string>();
  let length = 0;

  function make(event: ExaminedEvent): string {
    const text = searchTextOf(documentOf(event.line));
    texts.set(event.ordinal, text);
    length += text.length;
    for (const [ordinal, oldest] of texts) {
      if (length <= maxLength) break;
      texts.delete(ordinal);
      length -= oldest.length;
    }
    return text;
  }

  return {
    of: (event) => texts.get(event.ordinal) ?? make(event),
    forget() {
      texts.clear();
      length = 0;
    },
  };
}
