/*
 * The bytes that are left of a payload after it was folded, and their hash. The page imports this file too: nothing in it
 * needs Bun or Node.
 */

/** Stands for a number. */
export const numberMark = 0x30;
/** Stands for an address. */
export const addressMark = 0x40;
/** Stands for bytes that look random, and for a value that changes from one attempt to the next. */
export const anyMark = 0x2a;

export class FoldedBytes {
  readonly #bytes: Uint8Array;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Adds a byte, or nothing if the capacity is reached. */
  add(byte: number): void {
    if (this.#length < this.#bytes.length) this.#bytes[this.#length++] = byte;
  }

  addAll(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) this.add(bytes[at] as number);
  }

  /** A copy of the bytes. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** @returns 16 hexadecimal digits */
  hash(): string {
    return hashOf(this.#bytes, this.#length);
  }
}

/**
 * A 64-bit hash: the rounds and the end of MurmurHash3, with two lanes of 32 bits that are mixed in each round. It is written
 * here because the hashes of Bun do not exist in a browser.
 */
function hashOf(bytes: Uint8Array, length: number): string {
  let low = 0;
  let high = 0x9747b28c;
  for (let at = 0; at < length; at += 4) {
    const word = wordAt(bytes, at, length);
    low ^= Math.imul(rotated(Math.imul(word, 0x239b961b), 15), 0xab0e9789);
    low = (Math.imul(rotated(low, 19) + high, 5) + 0x561ccd1b) | 0;
    high ^= Math.imul(rotated(Math.imul(word, 0xab0e9789), 16), 0x38b34ae5);
    high = (Math.imul(rotated(high, 17) + low, 5) + 0x0bcaa747) | 0;
  }
  low = (low ^ length) + (high ^ length);
  high = mixed((high ^ length) + low);
  low = (mixed(low) + high) | 0;
  return digitsOf(high + low) + digitsOf(low);
}

/** Four bytes, little-endian; bytes after the end are 0. */
function wordAt(bytes: Uint8Array, at: number, length: number): number {
  if (at + 4 <= length)
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  let word = 0;
  for (let i = length - 1; i >= at; i--) word = (word << 8) | (bytes[i] as number);
  return word;
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mixed(value: number): number {
  let mix = value ^ (value >>> 16);
  mix = Math.imul(mix, 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return mix ^ (mix >>> 16);
}

function digitsOf(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
