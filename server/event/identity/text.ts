import { isHexDigit, isWordByte } from "./character-runs.ts";
import { addressMark, anyMark, type FoldedBytes } from "./folded-bytes.ts";
import { endOfLine, foldHeader } from "./headers.ts";
import { foldWord, maxRepetitions } from "./words.ts";

/*
 * Folds the text of a payload, and the text in a binary payload: its words, the addresses in its URLs, the values of its
 * headers and of names such as "password".
 */

const lineFeed = 0x0a;
const space = 0x20;
const quote = 0x22;
const percent = 0x25;
const slash = 0x2f;
const colon = 0x3a;
const equals = 0x3d;
const bracket = 0x5b;

const minNameLength = 3;
const maxNameLength = 12;
/** Names whose values change from one attempt to the next: credentials, cookies of RDP, ids of SIP. */
const namesOfChanging = new Set(
  [
    "username user login log email uname userid account usr mstshash",
    "password pass passwd pwd psd passw userpassword",
    "branch tag token nonce csrf session sessionid",
  ].flatMap((names) => names.split(" ")),
);

/** Adds the bytes from `start` to `end`, folded. */
export function foldText(out: FoldedBytes, bytes: Uint8Array, start: number, end: number): void {
  let at = start === 0 ? foldHeader(out, bytes, 0, end) : start;
  while (at < end) {
    const byte = bytes[at] as number;
    if (isWordByte(byte)) {
      const wordEnd = foldWord(out, bytes, at, end);
      at = foldValueOf(out, bytes, at, wordEnd, end);
    } else if (byte === lineFeed && !isWhite(bytes[at + 1])) {
      out.add(byte);
      at = foldHeader(out, bytes, at + 1, end);
    } else at = foldSign(out, bytes, at, end);
  }
}

/** Adds a byte that is not of a word, and what belongs to it. @returns where that ends */
function foldSign(out: FoldedBytes, bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at] as number;
  if (byte === percent && isHexDigit(bytes[at + 1]) && isHexDigit(bytes[at + 2]) && at + 3 <= end) {
    out.addAll(bytes, at, at + 3);
    return isEscaped(bytes, at, 0x33, 0x41) &&
      isEscaped(bytes, at + 3, 0x32, 0x46) &&
      isEscaped(bytes, at + 6, 0x32, 0x46) &&
      at + 9 <= end
      ? foldAuthority(out, bytes, at + 9, end)
      : at + 3;
  }
  if (byte === colon && bytes[at + 1] === slash && bytes[at + 2] === slash && at + 3 <= end) {
    out.add(byte);
    return foldAuthority(out, bytes, at + 3, end);
  }
  if (byte === bracket) {
    const addressEnd = endOfBracketed(bytes, at, end);
    if (addressEnd !== undefined) {
      out.add(addressMark);
      return addressEnd;
    }
  }
  return foldRepetition(out, bytes, at, end);
}

/** Whether there is "%" with these two digits; the second one is a letter in either case. */
function isEscaped(bytes: Uint8Array, at: number, first: number, letter: number): boolean {
  return bytes[at] === percent && bytes[at + 1] === first && ((bytes[at + 2] as number) & 0xdf) === letter;
}

/** Adds an address for the host, the port, and the user in front of them, if there are any. */
function foldAuthority(out: FoldedBytes, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isOfAuthority(bytes[at] as number)) at++;
  out.add(addressMark);
  return at;
}

/** Letters, digits, bytes of UTF-8, and the signs of an authority in RFC 3986 that are not likely to end it. */
function isOfAuthority(byte: number): boolean {
  return isWordByte(byte) || byte >= 0x80 || "-._~:@[]".includes(String.fromCharCode(byte));
}

/** Where an IPv6 address in brackets ends; undefined if there is none. */
function endOfBracketed(bytes: Uint8Array, start: number, end: number): number | undefined {
  let colons = 0;
  for (let at = start + 1; at < end && at < start + 48; at++) {
    const byte = bytes[at];
    if (byte === 0x5d) return colons >= 2 ? at + 1 : undefined;
    if (byte === colon) colons++;
    else if (byte !== 0x2e && !isHexDigit(byte)) return undefined;
  }
  return undefined;
}

function foldRepetition(out: FoldedBytes, bytes: Uint8Array, start: number, end: number): number {
  const byte = bytes[start] as number;
  let at = start + 1;
  while (at < end && bytes[at] === byte) at++;
  out.addAll(bytes, start, Math.min(at, start + maxRepetitions));
  return at;
}

/** Adds the value of a word that is the name of something that changes. @returns where it ends, or where the word ends */
function foldValueOf(out: FoldedBytes, bytes: Uint8Array, start: number, wordEnd: number, end: number) {
  const next = bytes[wordEnd];
  if (next === space && isLoginCommand(bytes, start, wordEnd)) {
    out.add(space);
    out.add(anyMark);
    return endOfLine(bytes, wordEnd, end);
  }
  if (next !== equals && next !== quote) return wordEnd;
  const length = wordEnd - start;
  if (length < minNameLength || length > maxNameLength) return wordEnd;
  const valueStart = next === equals ? wordEnd + 1 : startOfJsonString(bytes, wordEnd);
  if (valueStart === undefined || valueStart > end || !namesOfChanging.has(nameOf(bytes, start, wordEnd)))
    return wordEnd;
  out.addAll(bytes, wordEnd, valueStart);
  out.add(anyMark);
  let at = valueStart;
  while (at < end && !isEndOfValue(bytes[at] as number)) at++;
  return at;
}

/** Whether a word is the command of IMAP, which follows a tag: `a1 LOGIN user password`. */
function isLoginCommand(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 5 && bytes[start - 1] === space && nameOf(bytes, start, end) === "login";
}

/** Where the string begins in `": "…`; undefined if there is none. */
function startOfJsonString(bytes: Uint8Array, at: number): number | undefined {
  if (bytes[at + 1] !== colon) return undefined;
  const start = bytes[at + 2] === 0x20 ? at + 3 : at + 2;
  return bytes[start] === quote ? start + 1 : undefined;
}

function nameOf(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end)).toLowerCase();
}

function isEndOfValue(byte: number): boolean {
  return byte <= 0x20 || byte === quote || "&;,<>'".includes(String.fromCharCode(byte));
}

function isWhite(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}
