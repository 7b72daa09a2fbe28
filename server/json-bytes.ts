/*
 * RFC 8259 over bytes, without decoding. Each function takes the bytes and a position and returns the position
 * after what it read, or INVALID: twice as fast in JavaScriptCore as a position kept outside the functions.
 * Bytes from 0x80 up are passed over in strings: whoever calls has checked that the whole is UTF-8.
 */

/** What a function returns where the grammar, or the bound on nesting, is broken. */
export const INVALID = -1;

/** Objects and arrays inside each other, the batch's own array included. A real event needs about 6. */
export const maxNesting = 64;

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

/** 1 for the bytes a string can't simply pass over: quote, backslash and control characters. */
const endsPlainText = tableOf([...Array(0x20).keys(), QUOTE, BACKSLASH]);
/** 1 for the bytes that may follow a backslash, `u` aside. */
const isShortEscape = tableOf([...Buffer.from('"\\/bfnrt')]);
const isHexDigit = tableOf([...Buffer.from("0123456789abcdefABCDEF")]);

function tableOf(bytes: number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of bytes) table[byte] = 1;
  return table;
}

/** Reads one value of any kind; `depth` is the number of objects and arrays around it. */
export function skipValue(bytes: Buffer, at: number, depth: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, at + 1);
    case OPEN_BRACE:
      return depth < maxNesting ? skipObject(bytes, at + 1, depth + 1) : INVALID;
    case OPEN_BRACKET:
      return depth < maxNesting ? skipArray(bytes, at + 1, depth + 1) : INVALID;
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

function skipObject(bytes: Buffer, start: number, depth: number): number {
  let at = skipSpace(bytes, start);
  if (bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) return INVALID;
    at = skipString(bytes, at + 1);
    if (at === INVALID) return INVALID;
    at = skipColon(bytes, at);
    if (at === INVALID) return INVALID;
    at = skipValue(bytes, at, depth);
    if (at === INVALID) return INVALID;
    at = skipSpace(bytes, at);
    const next = bytes[at++];
    if (next === CLOSE_BRACE) return at;
    if (next !== COMMA) return INVALID;
    at = skipSpace(bytes, at);
  }
}

function skipArray(bytes: Buffer, start: number, depth: number): number {
  let at = skipSpace(bytes, start);
  if (bytes[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = skipValue(bytes, at, depth);
    if (at === INVALID) return INVALID;
    at = skipSpace(bytes, at);
    const next = bytes[at++];
    if (next === CLOSE_BRACKET) return at;
    if (next !== COMMA) return INVALID;
    at = skipSpace(bytes, at);
  }
}

/** From after the opening quote to after the closing one. */
export function skipString(bytes: Buffer, start: number): number {
  const length = bytes.length;
  let at = start;
  for (;;) {
    while (at < length && endsPlainText[bytes[at] as number] === 0) at++;
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    // Past the end, or a control character.
    if (byte !== BACKSLASH) return INVALID;
    const escaped = bytes[at + 1];
    if (escaped === undefined) return INVALID;
    if (isShortEscape[escaped] === 1) {
      at += 2;
    } else if (escaped === LOWER_U && at + 5 < length) {
      for (let i = 2; i < 6; i++) if (isHexDigit[bytes[at + i] as number] === 0) return INVALID;
      at += 6;
    } else {
      return INVALID;
    }
  }
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

/** One digit or more. */
function skipDigits(bytes: Buffer, start: number): number {
  let at = start;
  for (let byte = bytes[at]; byte !== undefined && byte >= ZERO && byte <= NINE; byte = bytes[at]) at++;
  return at === start ? INVALID : at;
}

/** Over the colon after a key, to its value. */
export function skipColon(bytes: Buffer, start: number): number {
  const at = skipSpace(bytes, start);
  return bytes[at] === COLON ? skipSpace(bytes, at + 1) : INVALID;
}

export function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  for (
    let byte = bytes[at];
    byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
    byte = bytes[at]
  )
    at++;
  return at;
}
