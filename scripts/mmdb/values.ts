/*
 * Values of a MaxMind DB's data section, written after the specification 2.0
 * (https://maxmind.github.io/MaxMind-DB/, "Output Data Section").
 */

/** Strings, booleans, arrays and objects are written as such; a plain number as a uint32, an int32 or a double. */
export type Value = string | boolean | number | Typed | readonly Value[] | { readonly [key: string]: Value };

/** A value whose MaxMind DB type does not follow from its JavaScript type. */
class Typed {
  constructor(
    readonly type: number,
    readonly bytes: Uint8Array,
  ) {}
}

const types = { double: 3, uint16: 5, uint32: 6, int32: 8, uint64: 9, float: 15 };
const rawBytes = -1;

export function double(value: number): Typed {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return new Typed(types.double, bytes);
}

export function float(value: number): Typed {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return new Typed(types.float, bytes);
}

export function int32(value: number): Typed {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return new Typed(types.int32, bytes);
}

export function uint16(value: number): Typed {
  return new Typed(types.uint16, unsigned(BigInt(value)));
}

export function uint32(value: number): Typed {
  return new Typed(types.uint32, unsigned(BigInt(value)));
}

export function uint64(value: bigint): Typed {
  return new Typed(types.uint64, unsigned(value));
}

/** Bytes that are copied into the data section unchanged, for databases that are damaged on purpose. */
export function raw(...bytes: number[]): Typed {
  return new Typed(rawBytes, Uint8Array.from(bytes));
}

/** Appends values one after another. A string or an object that was written before becomes a pointer to it. */
export class DataSection {
  readonly #chunks: Uint8Array[] = [];
  readonly #strings = new Map<string, number>();
  /** By identity: equal objects that are not the same are written again. */
  readonly #objects = new Map<object, number>();
  #length = 0;

  /** @returns the offset of the value from the start of the section, in bytes */
  append(value: Value): number {
    const offset = this.#length;
    this.#write(value);
    return offset;
  }

  toBytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  #write(value: Value): void {
    if (typeof value === "string") this.#writeString(value);
    else if (typeof value === "boolean") this.#push(header(14, value ? 1 : 0));
    else if (typeof value === "number") this.#write(numberOf(value));
    else if (value instanceof Typed) this.#writeTyped(value);
    else if (isArray(value)) {
      this.#push(header(11, value.length));
      for (const element of value) this.#write(element);
    } else {
      const known = this.#objects.get(value);
      if (known !== undefined) {
        this.#push(pointer(known));
        return;
      }
      this.#objects.set(value, this.#length);
      const entries = Object.entries(value);
      this.#push(header(7, entries.length));
      for (const [key, element] of entries) {
        this.#writeString(key);
        this.#write(element);
      }
    }
  }

  #writeString(text: string): void {
    const known = this.#strings.get(text);
    const bytes = Buffer.from(text);
    // A pointer takes up to five bytes, so a shorter string is written again instead.
    if (known !== undefined && bytes.length > 4) {
      this.#push(pointer(known));
      return;
    }
    if (known === undefined) this.#strings.set(text, this.#length);
    this.#push(header(2, bytes.length), bytes);
  }

  #writeTyped({ type, bytes }: Typed): void {
    if (type === rawBytes) this.#push(bytes);
    else this.#push(header(type, bytes.length), bytes);
  }

  #push(...chunks: Uint8Array[]): void {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
    }
  }
}

function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function numberOf(value: number): Typed {
  if (!Number.isInteger(value)) return double(value);
  return value < 0 ? int32(value) : uint32(value);
}

function unsigned(value: bigint): Uint8Array {
  const digits = value === 0n ? "" : value.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
}

/** Control byte, extended type and size. */
function header(type: number, size: number): Uint8Array {
  const [sizeBits, ...sizeBytes] = sizeOf(size);
  const isExtended = type > 7;
  const control = ((isExtended ? 0 : type) << 5) | (sizeBits ?? 0);
  return Uint8Array.from(isExtended ? [control, type - 7, ...sizeBytes] : [control, ...sizeBytes]);
}

function sizeOf(size: number): number[] {
  if (size < 29) return [size];
  if (size < 285) return [29, size - 29];
  if (size < 65_821) return [30, (size - 285) >> 8, (size - 285) & 0xff];
  const rest = size - 65_821;
  return [31, rest >> 16, (rest >> 8) & 0xff, rest & 0xff];
}

function pointer(offset: number): Uint8Array {
  if (offset < 2048) return Uint8Array.from([0x20 | (offset >> 8), offset & 0xff]);
  if (offset < 526_336) {
    const rest = offset - 2048;
    return Uint8Array.from([0x28 | (rest >> 16), (rest >> 8) & 0xff, rest & 0xff]);
  }
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x38;
  bytes.writeUInt32BE(offset, 1);
  return bytes;
}
