/*
 * What runs of characters in a payload look like. A word is a run of ASCII letters and digits.
 */

const digit = 1;
const lower = 2;
const upper = 4;
const hexLetter = 8;
/** The two characters of base64 that are not of a word. */
export const base64Sign = 16;
export const word = digit | lower | upper;

const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
  const text = String.fromCharCode(byte);
  if (/[0-9]/.test(text)) return digit;
  if (/[a-z]/.test(text)) return lower | (text <= "f" ? hexLetter : 0);
  if (/[A-Z]/.test(text)) return upper | (text <= "F" ? hexLetter : 0);
  return text === "+" || text === "/" ? base64Sign : 0;
});

/** A hexadecimal word with letters and digits is folded from this length on. */
const minHexLength = 8;
/** A hexadecimal word without letters or without digits may be a usual word, such as "deadbeef". */
const minPlainHexLength = 16;
const minRandomLength = 10;
const minRandomChanges = 3;
/** Longer words are not of a language. */
const minLongLength = 32;
/** @returns true for one of these classes of characters */
export function isOfClass(byte: number | undefined, accepted: number): boolean {
  return byte !== undefined && ((classes[byte] as number) & accepted) !== 0;
}

export function isWordByte(byte: number | undefined): boolean {
  return isOfClass(byte, word);
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

export function isHexDigit(byte: number | undefined): boolean {
  return isOfClass(byte, digit | hexLetter);
}

/** What a run of bytes looks like. One object for all runs, because a new one for each word would double the time. */
export class Run {
  end = 0;
  digits = 0;
  /** How often a digit is followed by a letter, a letter by a digit, or a small letter by a capital one. */
  changes = 0;
  isHex = true;
  isRepetition = true;

  /** Reads the run of bytes that have one of these classes. */
  read(bytes: Uint8Array, start: number, end: number, accepted: number): void {
    const first = bytes[start] as number;
    let at = start;
    let digits = 0;
    let changes = 0;
    let last = classes[first] as number;
    let all = -1;
    this.isRepetition = true;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      const kind = classes[byte] as number;
      if ((kind & accepted) === 0) break;
      digits += kind & digit;
      changes += changeTable[((last & 7) << 3) | (kind & 7)] as number;
      all &= (kind & (digit | hexLetter)) === 0 ? 0 : -1;
      if (byte !== first) this.isRepetition = false;
      last = kind;
    }
    this.end = at;
    this.digits = digits;
    this.changes = changes;
    this.isHex = all !== 0;
  }

  looksRandom(length: number): boolean {
    if (length >= minLongLength) return true;
    if (this.isHex && length >= (this.digits > 0 && this.digits < length ? minHexLength : minPlainHexLength))
      return true;
    return length >= minRandomLength && this.digits > 0 && this.changes >= minRandomChanges;
  }
}

/** 1 for two classes between which the kind of character changes. */
const changeTable = Uint8Array.from({ length: 64 }, (_, pair) => {
  const [before, after] = [pair >> 3, pair & 7];
  const isNumberChange = before !== 0 && after !== 0 && (before & digit) !== (after & digit);
  return isNumberChange || (before === lower && after === upper) ? 1 : 0;
});
