import { base64Sign, isDigit, isHexDigit, isOfClass, isWordByte, Run, word } from "./character-runs.ts";
import { anyMark, type FoldedBytes, numberMark } from "./folded-bytes.ts";

/*
 * Folds the words of a payload: numbers, runs that look random, and repetitions.
 */

/** Base64 text with "+" or "/" is folded from this length on. */
const minBase64Length = 24;
/** This many are left of equal bytes that follow each other. */
export const maxRepetitions = 4;

const run = new Run();

/**
 * Adds a word, folded.
 * @param start where the word begins
 * @param end of the payload
 * @returns where the word ends
 */
export function foldWord(out: FoldedBytes, bytes: Uint8Array, start: number, end: number): number {
  run.read(bytes, start, end, word);
  const wordEnd = run.end;
  const length = wordEnd - start;
  if (length === 8 && run.isHex && isRestOfUuid(bytes, wordEnd, end)) {
    out.add(anyMark);
    return start + 36;
  }
  if (run.digits === length) return foldNumber(out, bytes, wordEnd, end);
  if (run.isRepetition && length > maxRepetitions) {
    out.addAll(bytes, start, start + maxRepetitions);
    return wordEnd;
  }
  const { digits } = run;
  const isRandom = run.looksRandom(length);
  const base64End = endOfBase64(bytes, start, wordEnd, end);
  if (isRandom || base64End !== undefined) {
    out.add(anyMark);
    return afterPadding(bytes, base64End ?? wordEnd, end);
  }
  if (digits === 0) out.addAll(bytes, start, wordEnd);
  else addWithoutNumbers(out, bytes, start, wordEnd);
  return wordEnd;
}

/** Adds a number with its dots: an IPv4 address or a version is one number. */
function foldNumber(out: FoldedBytes, bytes: Uint8Array, numberEnd: number, end: number): number {
  out.add(numberMark);
  let at = numberEnd;
  let dots = 0;
  for (; at < end; at++) {
    if (isDigit(bytes[at])) continue;
    if (bytes[at] !== 0x2e || !isDigit(bytes[at + 1])) break;
    dots++;
  }
  // The port of an IPv4 address.
  if (dots === 3 && bytes[at] === 0x3a && isDigit(bytes[at + 1]))
    for (at++; at < end && isDigit(bytes[at]); ) at++;
  return Math.min(at, end);
}

/** Whether the text after the first 8 digits of a UUID is its rest: `-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
function isRestOfUuid(bytes: Uint8Array, start: number, end: number): boolean {
  if (start + 28 > end) return false;
  for (let i = 0; i < 28; i++) {
    const isDash = i % 5 === 0 && i < 20;
    if (isDash ? bytes[start + i] !== 0x2d : !isHexDigit(bytes[start + i])) return false;
  }
  return !isWordByte(bytes[start + 28]);
}

/**
 * Where base64 text ends that begins with this word; undefined if it does not look like base64. A text that follows "/" or
 * "+" is not examined: it is of a path, or was examined with what is before it.
 */
function endOfBase64(bytes: Uint8Array, start: number, wordEnd: number, end: number): number | undefined {
  const isFollowed = wordEnd < end && isOfClass(bytes[wordEnd], base64Sign);
  if (!isFollowed || isOfClass(bytes[start - 1], base64Sign)) return undefined;
  run.read(bytes, start, end, word | base64Sign);
  const length = run.end - start;
  return length >= minBase64Length && run.digits > 0 && run.changes * 4 >= length ? run.end : undefined;
}

function afterPadding(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && at < start + 2 && bytes[at] === 0x3d) at++;
  return at;
}

function addWithoutNumbers(out: FoldedBytes, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (!isDigit(byte)) out.add(byte);
    else if (at === start || !isDigit(bytes[at - 1])) out.add(numberMark);
  }
}
