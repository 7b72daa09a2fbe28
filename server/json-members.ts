import {
  CLOSE_BRACKET,
  COMMA,
  isKey,
  QUOTE,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
} from "./json-bytes.ts";

/** The value of one member of an object: offsets into the bytes. */
export interface Member {
  readonly key: string;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export interface FoundMembers {
  /** In the order of the object; one key may occur several times. */
  readonly members: readonly Member[];
  /** The position of the closing brace. */
  readonly end: number;
  readonly isEmpty: boolean;
}

/**
 * Finds the members of an object that have one of these keys, also if a key is spelled with escapes.
 * @param bytes have an object at `start` that is known to be valid JSON
 * @param words see wordsOf; without them, strings are skipped byte by byte
 */
export function findMembers(
  bytes: Buffer,
  start: number,
  keys: readonly string[],
  words?: Int32Array,
): FoundMembers {
  const members: Member[] = [];
  let at = skipSpace(bytes, start + 1);
  const isEmpty = bytes[at] !== QUOTE;
  while (bytes[at] === QUOTE) {
    const keyStart = at + 1;
    const keyEnd = skipString(bytes, keyStart, words) - 1;
    const valueStart = skipColon(bytes, keyEnd + 1);
    const valueEnd = skipValue(bytes, valueStart, 0, words);
    for (const key of keys) {
      if (isKey(bytes, keyStart, keyEnd, key)) members.push({ key, valueStart, valueEnd });
    }
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return { members, end: at, isEmpty };
}

/**
 * The elements of an array, as the positions at which they begin and end.
 * @param bytes have an array at `start` that is known to be valid JSON
 * @param maxElements the elements after these are left out
 */
export function elementsOf(
  bytes: Buffer,
  start: number,
  maxElements: number,
): [start: number, end: number][] {
  const elements: [number, number][] = [];
  let at = skipSpace(bytes, start + 1);
  while (bytes[at] !== CLOSE_BRACKET && elements.length < maxElements) {
    const end = skipValue(bytes, at, 0);
    elements.push([at, end]);
    at = skipSpace(bytes, end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return elements;
}

/** Decodes the string between two quotes. @param start after the opening quote @param end the closing quote */
export function decodeString(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString("utf8", start, end);
  return text.includes("\\") ? JSON.parse(`"${text}"`) : text;
}
