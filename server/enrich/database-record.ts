/*
 * Checks a record in the data section of a MaxMind DB file before it is decoded
 * (https://maxmind.github.io/MaxMind-DB/, "Output Data Section Format").
 *
 * mmdb-lib decodes whatever it finds: a pointer to one of its own parents ends in a stack overflow, arrays of pointers to
 * arrays of pointers never end, and for a size of 16 million it allocates memory before it notices that there are no
 * elements. So Loom first walks through every record without decoding it, within bounds that are far beyond real records.
 */

/** Following a pointer counts as a level. */
export const maxRecordDepth = 32;
/** Enterprise records with all languages have about 300 values. */
export const maxRecordValues = 10_000;
/** Bytes of text and other payload in one record; the target of a pointer counts each time. */
export const maxRecordBytes = 1 << 20;

/** A file is damaged or is not a database. The message is only the reason, such as "no such file". */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
}

enum Type {
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
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * Walks through the record at `offset` of the file.
 * @throws DatabaseError if it is not well-formed, reaches out of its section, or exceeds a bound
 */
export function assertRecord(section: Section, offset: number): void {
  new RecordWalk(section).value(offset, 0);
}

class RecordWalk {
  readonly #section: Section;
  #values = 0;
  #payload = 0;

  constructor(section: Section) {
    this.#section = section;
  }

  /** @returns the offset after the value */
  value(offset: number, depth: number, isTarget = false, isKey = false): number {
    this.#values++;
    if (this.#values > maxRecordValues) throw new DatabaseError(`a record of over ${maxRecordValues} values`);
    if (depth > maxRecordDepth) throw new DatabaseError(`a record nested over ${maxRecordDepth} deep`);

    const control = this.#byte(offset);
    let type = control >> 5;
    let next = offset + 1;
    if (type === Type.Pointer) {
      if (isTarget) throw damaged("a pointer to a pointer", offset);
      return this.#pointer(control, next, depth, isKey);
    }
    if (type === Type.Extended) type = this.#byte(next++) + 7;
    if (isKey && type !== Type.Text) throw damaged("a key that is not text", offset);

    let size = control & 0x1f;
    if (size >= 29) {
      const sizeBytes = size - 28;
      size = (sizeBytes === 1 ? 29 : sizeBytes === 2 ? 285 : 65_821) + this.#unsigned(next, sizeBytes);
      next += sizeBytes;
    }
    return this.#content(type, size, next, depth);
  }

  #content(type: number, size: number, offset: number, depth: number): number {
    let next = offset;
    switch (type) {
      case Type.Map:
        for (let i = 0; i < size; i++) next = this.value(this.value(next, depth + 1, false, true), depth + 1);
        return next;
      case Type.Array:
        for (let i = 0; i < size; i++) next = this.value(next, depth + 1);
        return next;
      case Type.Boolean:
        if (size > 1) throw damaged(`a boolean of ${size}`, offset);
        return next;
    }
    const allowed = sizes[type];
    if (!allowed) throw damaged(`a value of unknown type ${type}`, offset);
    if (size < allowed[0] || size > allowed[1])
      throw damaged(`a value of type ${type} and ${size} bytes`, offset);
    this.#payload += size;
    if (this.#payload > maxRecordBytes) throw new DatabaseError(`a record of over ${maxRecordBytes} bytes`);
    next += size;
    if (next > this.#section.end) throw damaged("a value that ends outside of its section", offset);
    return next;
  }

  #pointer(control: number, offset: number, depth: number, isKey: boolean): number {
    const sizeBits = (control >> 3) & 3;
    const bytes = sizeBits + 1;
    const high = sizeBits === 3 ? 0 : (control & 7) * 2 ** (8 * bytes);
    const target = this.#section.start + (pointerBase[sizeBits] ?? 0) + high + this.#unsigned(offset, bytes);
    this.value(target, depth + 1, true, isKey);
    return offset + bytes;
  }

  #unsigned(offset: number, bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.#byte(offset + i);
    return value;
  }

  #byte(offset: number): number {
    const byte = offset < this.#section.end ? this.#section.bytes[offset] : undefined;
    if (byte === undefined) throw damaged("a value outside of its section", offset);
    return byte;
  }
}

function damaged(what: string, offset: number): DatabaseError {
  return new DatabaseError(`${what}, at byte ${offset}`);
}
