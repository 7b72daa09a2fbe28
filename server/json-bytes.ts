/*
 * Parses JSON (RFC 8259) as bytes, without decoding it. Each function takes the bytes and a position and returns the
 * position after what it read, or INVALID. In JavaScriptCore this is twice as fast as a position that is stored outside
 * the functions. Bytes from 0x80 up are skipped in strings: the caller must have checked that all bytes are UTF-8.
 */

/** Returned if the grammar, or the bound on nesting, is violated. */
export const INVALID = -1;

/** The deepest nesting of objects and arrays, including the array of the batch. A real event needs about 6 levels. */
export const maxNesting = 64;

/** For bytes that are few or not aligned to 4 bytes: strings are then read byte by byte. */
const noWords = new Int32Array(0);

/**
 * The same bytes as words of four bytes, with which the functions below skip strings quickly. They make the scan of a
 * batch a fifth faster. Up to three bytes at the end are not in a word. The words are little-endian, like every machine
 * that Bun supports.
 */
export function wordsOf(bytes: Buffer): Int32Array {
  return bytes.byteOffset % 4 === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    : noWords;
}

export const NEWLINE = 0x0a;
export const QUOTE = 0x22;
const PLUS = 0x2b;
export const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const UPPER_E = 0x45;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/** 1 for the bytes that may follow a backslash, except `u`. */
const isShortEscape = tableOf([...Buffer.from('"\\/bfnrt')]);
const isHexDigit = tableOf([...Buffer.from("0123456789abcdefABCDEF")]);

function tableOf(bytes: number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of bytes) table[byte] = 1;
  return table;
}

/** Skips one value of any type. @param depth the number of objects and arrays around it */
export function skipValue(bytes: Buffer, at: number, depth: number, words: Int32Array = noWords): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, at + 1, words);
    case OPEN_BRACE:
      return depth < maxNesting ? skipObject(bytes, at + 1, depth + 1, words) : INVALID;
    case OPEN_BRACKET:
      return depth < maxNesting ? skipArray(bytes, at + 1, depth + 1, words) : INVALID;
    case 0x74:
      return bytes[at + 1] === 0x72 && bytes[at + 2] === 0x75 && bytes[at + 3] === 0x65 ? at + 4 : INVALID;
    case 0x66:
      return bytes[at + 1] === 0x61 &&
        bytes[at + 2] === 0x6c &&
        bytes[at + 3] === 0x73 &&
        bytes[at + 4] === 0x65
        ? at + 5
        : INVALID;
    case 0x6e:
      return bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c ? at + 4 : INVALID;
    default:
      return skipNumber(bytes, at);
  }
}

function skipObject(bytes: Buffer, start: number, depth: number, words: Int32Array): number {
  let at = skipSpace(bytes, start);
  if (bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) return INVALID;
    at = skipString(bytes, at + 1, words);
    if (at === INVALID) return INVALID;
    at = skipColon(bytes, at);
    if (at === INVALID) return INVALID;
    // Most values are strings and most members are followed by another one: both cases save a call.
    at = bytes[at] === QUOTE ? skipString(bytes, at + 1, words) : skipValue(bytes, at, depth, words);
    if (at === INVALID) return INVALID;
    if (bytes[at] === COMMA && bytes[at + 1] === QUOTE) {
      at++;
      continue;
    }
    at = skipSpace(bytes, at);
    const next = bytes[at++];
    if (next === CLOSE_BRACE) return at;
    if (next !== COMMA) return INVALID;
    at = skipSpace(bytes, at);
  }
}

function skipArray(bytes: Buffer, start: number, depth: number, words: Int32Array): number {
  let at = skipSpace(bytes, start);
  if (bytes[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = skipValue(bytes, at, depth, words);
    if (at === INVALID) return INVALID;
    at = skipSpace(bytes, at);
    const next = bytes[at++];
    if (next === CLOSE_BRACKET) return at;
    if (next !== COMMA) return INVALID;
    at = skipSpace(bytes, at);
  }
}

/** Skips a string. @param start after the opening quote @returns the position after the closing quote */
export function skipString(bytes: Buffer, start: number, words: Int32Array = noWords): number {
  let at = start;
  let index = start >> 2;
  // Selects the bytes of the first word from `start` on.
  let wanted = -1 << ((start & 3) << 3);
  for (; index < words.length; index++) {
    const word = words[index] as number;
    const found = specialBytes(word) & wanted;
    wanted = -1;
    if (found === 0) continue;
    const firstBit = 24 - Math.clz32(found & -found);
    at = (index << 2) + (firstBit >> 3);
    if (((word >> firstBit) & 0xff) === QUOTE) return at + 1;
    at = skipSpecial(bytes, at);
    if (at === INVALID) return INVALID;
    index = (at >> 2) - 1;
    wanted = -1 << ((at & 3) << 3);
  }
  return skipStringEnd(bytes, Math.max(at, index << 2));
}

/**
 * Sets the high bit of each byte of a word that ends the plain part of a string: quote, backslash, control character. If
 * such a byte is found, the subtraction may borrow from the next higher byte, so only the lowest bit that is set is
 * certain, and only if no lower bit was masked off. The first exclusive or makes the quote a neighbour of the control
 * characters: 0x22 becomes 0x20, and 0x20 becomes 0x22.
 */
function specialBytes(word: number): number {
  return (((word ^ 0x02020202) - 0x21212121) | ((word ^ 0x5c5c5c5c) - 0x01010101)) & ~word & 0x80808080;
}

/** Skips the end of a string byte by byte, after the last whole word. */
function skipStringEnd(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; ) {
    if (bytes[at] === QUOTE) return at + 1;
    at = skipSpecial(bytes, at);
    if (at === INVALID) return INVALID;
  }
  return INVALID;
}

/** Skips one escape sequence, or one byte that is allowed without an escape. */
function skipSpecial(bytes: Buffer, at: number): number {
  if (bytes[at] !== BACKSLASH) return (bytes[at] as number) < 0x20 ? INVALID : at + 1;
  const escaped = bytes[at + 1];
  if (escaped === undefined) return INVALID;
  if (isShortEscape[escaped] === 1) return at + 2;
  if (escaped !== LOWER_U || at + 5 >= bytes.length) return INVALID;
  for (let i = 2; i < 6; i++) if (isHexDigit[bytes[at + i] as number] === 0) return INVALID;
  return at + 6;
}

function skipNumber(bytes: Buffer, start: number): number {
  let at = start;
  if (bytes[at] === MINUS) at++;
  at = bytes[at] === ZERO ? at + 1 : skipDigits(bytes, at);
  if (at === INVALID) return INVALID;
  if (bytes[at] === DOT) at = skipDigits(bytes, at + 1);
  if (at === INVALID) return INVALID;
  const exponent = bytes[at];
  if (exponent !== LOWER_E && exponent !== UPPER_E) return at;
  const sign = bytes[at + 1];
  return skipDigits(bytes, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
}

/** Skips one or more digits. */
function skipDigits(bytes: Buffer, start: number): number {
  let at = start;
  for (let byte = bytes[at]; byte !== undefined && byte >= ZERO && byte <= NINE; byte = bytes[at]) at++;
  return at === start ? INVALID : at;
}

/** Skips the colon after a key. @returns the position of the value */
export function skipColon(bytes: Buffer, start: number): number {
  if (bytes[start] === COLON && (bytes[start + 1] as number) > 0x20) return start + 1;
  const at = skipSpace(bytes, start);
  return bytes[at] === COLON ? skipSpace(bytes, at + 1) : INVALID;
}

export function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  // Usually this test alone decides. It is also false after the end of the bytes.
  while ((bytes[at] as number) <= 0x20) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at++;
  }
  return at;
}

/**
 * Whether the key between two quotes is this name, even if it is spelled with escapes. It is not decoded, because a hostile
 * event may have thousands of keys with escapes, each of which is compared with several names.
 * @param name ASCII without quote, slash, backslash and control characters, so that its only escapes are \uXXXX
 */
export function isKey(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (end - start === name.length) {
    for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name.charCodeAt(i)) return false;
    return true;
  }
  const first = bytes[start];
  if (first !== name.charCodeAt(0) && first !== BACKSLASH) return false;
  return end - start > name.length && isEscapedKey(bytes, start, end, name);
}

function isEscapedKey(bytes: Buffer, start: number, end: number, name: string): boolean {
  let at = start;
  for (let i = 0; i < name.length; i++) {
    let code = bytes[at++];
    if (code === BACKSLASH) {
      if (bytes[at] !== LOWER_U) return false;
      code = 0;
      for (let digit = 1; digit <= 4; digit++) code = (code << 4) | hexDigit(bytes[at + digit] as number);
      at += 5;
    }
    if (code !== name.charCodeAt(i)) return false;
  }
  return at === end;
}

/** The value of a hexadecimal digit in either case. */
function hexDigit(byte: number): number {
  return (byte & 0xf) + (byte > NINE ? 9 : 0);
}
