import type { ColumnKind } from "../event/columns.ts";

/*
 * The values of a stored dictionary (column-codec.ts), each decoded when it is read: a search for one address reads a dozen of
 * several thousand.
 */

/** An array, or values that are decoded when they are read. */
export interface ValueList {
  readonly length: number;
  at(index: number): number | string | undefined;
}

const addressBytes = 16;

/** @returns undefined if the bytes are not those of as many values */
export function tryReadValues(kind: ColumnKind, bytes: Buffer, length: number): ValueList | undefined {
  switch (kind) {
    case "number":
      return bytes.length === length * 8 ? new Float64Array(new Uint8Array(bytes).buffer) : undefined;
    case "address":
      return bytes.length === length * addressBytes ? new PackedAddresses(bytes) : undefined;
    case "text": {
      const ends = endsOf(bytes, length);
      return ends && (ends[length] === bytes.length || undefined) && new PackedTexts(bytes, ends);
    }
  }
}

/** Addresses as 16 bytes each. */
export class PackedAddresses implements ValueList {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get length(): number {
    return this.bytes.length / addressBytes;
  }

  /** The last four bytes as a number: an IPv4 address, if the address is one. */
  ipv4At(index: number): number {
    return this.bytes.readUInt32BE(index * addressBytes + 12);
  }

  at(index: number): string | undefined {
    const start = index * addressBytes;
    return start < this.bytes.length ? this.bytes.toString("latin1", start, start + addressBytes) : undefined;
  }
}

class PackedTexts implements ValueList {
  readonly #bytes: Buffer;
  /** Where the first text begins, and where each ends. */
  readonly #ends: Uint32Array;

  constructor(bytes: Buffer, ends: Uint32Array) {
    this.#bytes = bytes;
    this.#ends = ends;
  }

  get length(): number {
    return this.#ends.length - 1;
  }

  at(index: number): string | undefined {
    const end = this.#ends[index + 1];
    return end === undefined ? undefined : this.#bytes.toString("utf8", this.#ends[index], end);
  }
}

/** Where the first text begins and where each ends, from their lengths; undefined if these are cut off. */
function endsOf(bytes: Buffer, length: number): Uint32Array | undefined {
  if (bytes.length < length * 4) return undefined;
  const ends = new Uint32Array(length + 1);
  ends[0] = length * 4;
  for (let i = 0; i < length; i++) ends[i + 1] = (ends[i] as number) + bytes.readUInt32LE(i * 4);
  return ends;
}
