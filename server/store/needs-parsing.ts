import { isAscii } from "node:buffer";

/*
 * Whether text in a document may have other bytes than the text itself: plain characters are escaped, such as `\u0061` for
 * "a", or characters are folded to ASCII letters.
 */

const unicodeEscape = Buffer.from("\\u");
const slashEscape = Buffer.from("\\/");
const backslash = 0x5c;
/** U+0130 and U+212A, which are folded to ASCII letters, in UTF-8. */
const foldedToAscii = [Buffer.from("\u0130"), Buffer.from("\u212a")];
const foldedCodes = [0x0130, 0x212a];
/** Printable characters that encoders escape. */
const usualCodes = [..."\"&'<>\\"].map((character) => character.charCodeAt(0));

/** Whether a search of the bytes of a document and of its payload may miss text in them. */
export function needsParsing(document: Buffer, payload: Buffer): boolean {
  if (hasFolded(document) || hasFolded(payload)) return true;
  return document.includes(backslash) && (document.includes(slashEscape) || hasUnusualEscape(document));
}

function hasFolded(bytes: Buffer): boolean {
  return !isAscii(bytes) && foldedToAscii.some((folded) => bytes.includes(folded));
}

function hasUnusualEscape(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(unicodeEscape); at >= 0; at = bytes.indexOf(unicodeEscape, at + 2))
    if (isUnusual(bytes, at + 2)) return true;
  return false;
}

/** Whether the four hexadecimal digits at a position are of a printable or folded character. */
function isUnusual(bytes: Buffer, at: number): boolean {
  let code = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit < 0) return false;
    code = code * 16 + digit;
  }
  if (code >= 0x20 && code < 0x7f) return !usualCodes.includes(code);
  return foldedCodes.includes(code);
}

/** @returns -1: it is not one */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
