import { DatabaseError, damaged } from "./database-error.ts";

/** Following a pointer counts as a level. */
export const maxRecordDepth = 32;
/** Enterprise records with all languages have about 300 values. */
export const maxRecordValues = 10_000;
/** Bytes of text and other payload in one record; the target of a pointer counts each time. */
export const maxRecordBytes = 1 << 20;

export enum Type {
  Extended = 0,
  Pointer = 1,
  Text = 2,
  Double = 3,
  Bytes = 4,
  Uint16 = 5,
  Uint32 = 6,
  Map = 7,
  Int32 = 8,
  Uint64 = 9,
  Uint128 = 10,
  Array = 11,
  Boolean = 14,
  Float = 15,
}

/** The sizes that a scalar may have, in bytes. */
const sizes: Readonly<Record<number, readonly [min: number, max: number]>> = {
  [Type.Text]: [0, maxRecordBytes],
  [Type.Bytes]: [0, maxRecordBytes],
  [Type.Double]: [8, 8],
  [Type.Float]: [4, 4],
  [Type.Uint16]: [0, 2],
  [Type.Uint32]: [0, 4],
  [Type.Int32]: [0, 4],
  [Type.Uint64]: [0, 8],
  [Type.Uint128]: [0, 16],
};
const pointerBase = [0, 2048, 526_336, 0] as const;

/** The part of a file that holds values, as offsets into `bytes`. Pointers count from `start`. */
export interface Section {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** A decoded value that is neither text nor a number, and of which no member is wanted. */
export const unused: Readonly<Record<string, unknown>> = Object.freeze({});

/** Reads single values of a section, within the bounds of one record. */
export class ValueReader {
  /** Of the value whose header was read last. The size of a pointer is its target. */
  type = 0;
  size = 0;
  readonly #section: Section;
  readonly #bytes: Buffer;
  /** In the present record. */
  #values = 0;
  #payload = 0;

  constructor(section: Section) {
    this.#section = section;
    this.#bytes = section.bytes;
  }

  /** To be called before the first value of each record. */
  beginRecord(): void {
    this.#values = 0;
    this.#payload = 0;
  }

  /**
   * Reads the type and the size of a value.
   * @param isTarget whether a pointer led to it, so that it must not be another pointer
   * @returns the offset of its content; for a pointer, the offset after it
   * @throws DatabaseError
   */
  header(offset: number, depth: number, isTarget: boolean): number {
    if (++this.#values > maxRecordValues)
      throw new DatabaseError(`a record of over ${maxRecordValues} values`);
    if (depth > maxRecordDepth) throw new DatabaseError(`a record nested over ${maxRecordDepth} deep`);
    const control = this.#byte(offset);
    let next = offset + 1;
    const type = control >> 5;
    if (type === Type.Pointer) {
      if (isTarget) throw damaged("a pointer to a pointer", offset);
      return this.#pointer(control, next);
    }
    this.type = type === Type.Extended ? this.#byte(next++) + 7 : type;
    const size = control & 0x1f;
    if (size < 29) {
      this.size = size;
      return next;
    }
    const sizeBytes = size - 28;
    this.size = (sizeBytes === 1 ? 29 : sizeBytes === 2 ? 285 : 65_821) + this.#unsigned(next, sizeBytes);
    return next + sizeBytes;
  }

  #pointer(control: number, offset: number): number {
    const sizeBits = (control >> 3) & 3;
    const bytes = sizeBits + 1;
    const high = sizeBits === 3 ? 0 : (control & 7) * 2 ** (8 * bytes);
    this.type = Type.Pointer;
    this.size = this.#section.start + (pointerBase[sizeBits] ?? 0) + high + this.#unsigned(offset, bytes);
    return offset + bytes;
  }

  /** The offset after the scalar whose header was read last. @throws DatabaseError if it is malformed or too large */
  endOfScalar(content: number): number {
    const type = this.type;
    const size = this.size;
    if (type === Type.Boolean) {
      if (size > 1) throw damaged(`a boolean of ${size}`, content);
      return content;
    }
    const allowed = sizes[type];
    if (!allowed) throw damaged(`a value of unknown type ${type}`, content);
    if (size < allowed[0] || size > allowed[1])
      throw damaged(`a value of type ${type} and ${size} bytes`, content);
    this.#payload += size;
    if (this.#payload > maxRecordBytes) throw new DatabaseError(`a record of over ${maxRecordBytes} bytes`);
    const end = content + size;
    if (end > this.#section.end) throw damaged("a value that ends outside of its section", content);
    return end;
  }

  /** Decodes the scalar whose header was read last. */
  scalar(content: number, end: number): unknown {
    switch (this.type) {
      case Type.Text:
        return this.#bytes.toString("utf8", content, end);
      case Type.Double:
        return this.#bytes.readDoubleBE(content);
      case Type.Float:
        return this.#bytes.readFloatBE(content);
      case Type.Uint16:
      case Type.Uint32:
        return this.#unsigned(content, end - content);
      case Type.Int32:
        // Only four bytes can have a sign.
        return end - content < 4 ? this.#unsigned(content, end - content) : this.#bytes.readInt32BE(content);
      case Type.Uint64:
      case Type.Uint128:
        return BigInt(`0x0${this.#bytes.toString("hex", content, end)}`);
      default:
        return unused;
    }
  }

  #unsigned(offset: number, bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.#byte(offset + i);
    return value;
  }

  #byte(offset: number): number {
    const byte = offset < this.#section.end ? this.#bytes[offset] : undefined;
    if (byte === undefined) throw damaged("a value outside of its section", offset);
    return byte;
  }
}
