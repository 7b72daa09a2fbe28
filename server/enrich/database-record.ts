import { slotOf } from "./slot-of.ts";
import type { WantedMember, WantedMembers } from "./wanted-members.ts";

/*
 * Reads records in the data section of a MaxMind DB file
 * (https://maxmind.github.io/MaxMind-DB/, "Output Data Section Format").
 *
 * A file may be damaged or hostile: a pointer to one of its own parents, arrays of pointers to arrays of pointers, or a size of 16
 * million without elements. So everything is read within bounds that are far beyond real records.
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
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** A decoded value that is neither text nor a number, and of which no member is wanted. */
const unused: Readonly<Record<string, unknown>> = Object.freeze({});

/** What was decoded at the target of a pointer. */
interface Target<Value> {
  readonly offset: number;
  readonly wanted: WantedMembers;
  readonly value: Value;
}

/** Records point at what they share: keys, names, time zones, and in MaxMind's databases whole countries. */
const targetBits = 12;

/** Reads the records of one section, which must not be changed. */
export class RecordReader {
  readonly #section: Section;
  readonly #bytes: Buffer;
  /** Whether the targets of pointers are examined even if nothing in them is wanted. */
  #isThorough = false;
  /** In the present record. */
  #values = 0;
  #payload = 0;
  /** Of the value whose header was read last. The size of a pointer is its target. */
  #type = 0;
  #size = 0;
  /** The member whose key was read last; undefined: it is not wanted. */
  #member: WantedMember | undefined;
  /** The value that was decoded last. */
  #decoded: unknown;
  /** The targets of pointers that were decoded lately, and the members whose keys are the targets of pointers. */
  readonly #targets = new Array<Target<unknown> | undefined>(2 ** targetBits).fill(undefined);
  readonly #keys = new Array<Target<WantedMember | undefined> | undefined>(2 ** targetBits).fill(undefined);

  constructor(section: Section) {
    this.#section = section;
    this.#bytes = section.bytes;
  }

  /**
   * Walks through the whole record at `offset` of the file.
   * @throws DatabaseError if it is not well-formed, reaches out of its section, or exceeds a bound
   */
  check(offset: number): void {
    this.#begin(true);
    this.#skip(offset, 0, false);
  }

  /**
   * Decodes the wanted members of the record at `offset` of the file. Other members are skipped, without following their
   * pointers.
   * @returns as mmdb-lib decodes it, with the wanted members of objects and the first element of lists only; an empty object
   *   for a value of another kind
   * @throws DatabaseError as `check`, for what is read
   */
  decode(offset: number, wanted: WantedMembers): unknown {
    this.#begin(false);
    this.#decode(offset, 0, wanted, false);
    return this.#decoded;
  }

  #begin(isThorough: boolean): void {
    this.#isThorough = isThorough;
    this.#values = 0;
    this.#payload = 0;
  }

  /** @returns the offset after the value */
  #skip(offset: number, depth: number, isTarget: boolean): number {
    const content = this.#header(offset, depth, isTarget);
    const size = this.#size;
    switch (this.#type) {
      case Type.Pointer:
        if (this.#isThorough) this.#skip(size, depth + 1, true);
        return content;
      case Type.Map: {
        let next = content;
        for (let i = 0; i < size; i++) next = this.#skip(this.#skipKey(next, depth + 1), depth + 1, false);
        return next;
      }
      case Type.Array: {
        let next = content;
        for (let i = 0; i < size; i++) next = this.#skip(next, depth + 1, false);
        return next;
      }
      default:
        return this.#endOfScalar(content);
    }
  }

  /** Decodes a value into `#decoded`. @returns the offset after the value */
  #decode(offset: number, depth: number, wanted: WantedMembers, isTarget: boolean): number {
    const content = this.#header(offset, depth, isTarget);
    const size = this.#size;
    switch (this.#type) {
      case Type.Pointer:
        this.#decodeTarget(size, depth + 1, wanted);
        return content;
      case Type.Map:
        return this.#decodeMap(content, size, depth + 1, wanted);
      case Type.Array:
        return this.#decodeArray(content, size, depth + 1, wanted);
      default: {
        const end = this.#endOfScalar(content);
        this.#decoded = this.#scalar(content, end);
        return end;
      }
    }
  }

  #decodeTarget(offset: number, depth: number, wanted: WantedMembers): void {
    const slot = slotOf(offset, targetBits);
    const known = this.#targets[slot];
    if (known?.offset === offset && known.wanted === wanted) {
      this.#decoded = known.value;
      return;
    }
    this.#decode(offset, depth, wanted, true);
    this.#targets[slot] = { offset, wanted, value: this.#decoded };
  }

  #decodeMap(content: number, size: number, depth: number, wanted: WantedMembers): number {
    const map: Record<string, unknown> = {};
    let next = content;
    for (let i = 0; i < size; i++) {
      const value = this.#readKey(next, depth, wanted);
      const member = this.#member;
      if (member === undefined) next = this.#skip(value, depth, false);
      else {
        next = this.#decode(value, depth, member.wanted, false);
        map[member.key] = this.#decoded;
      }
    }
    this.#decoded = map;
    return next;
  }

  #decodeArray(content: number, size: number, depth: number, { first }: WantedMembers): number {
    const array: unknown[] = [];
    let next = content;
    for (let i = 0; i < size; i++) {
      if (i === 0 && first) {
        next = this.#decode(next, depth, first, false);
        array.push(this.#decoded);
      } else next = this.#skip(next, depth, false);
    }
    this.#decoded = first ? array : unused;
    return next;
  }

  /** Finds out which wanted member the key at `offset` is of, if any. @returns the offset after the key */
  #readKey(offset: number, depth: number, wanted: WantedMembers): number {
    const content = this.#header(offset, depth, false);
    if (this.#type !== Type.Pointer) {
      const end = this.#endOfKey(content);
      this.#member = wanted.find(this.#bytes, content, end);
      return end;
    }
    const target = this.#size;
    const slot = slotOf(target, targetBits);
    const known = this.#keys[slot];
    if (known?.offset === target && known.wanted === wanted) this.#member = known.value;
    else {
      const text = this.#header(target, depth + 1, true);
      this.#member = wanted.find(this.#bytes, text, this.#endOfKey(text));
      this.#keys[slot] = { offset: target, wanted, value: this.#member };
    }
    return content;
  }

  /** @returns the offset after the key */
  #skipKey(offset: number, depth: number): number {
    const content = this.#header(offset, depth, false);
    if (this.#type !== Type.Pointer) return this.#endOfKey(content);
    if (this.#isThorough) this.#endOfKey(this.#header(this.#size, depth + 1, true));
    return content;
  }

  #endOfKey(content: number): number {
    if (this.#type !== Type.Text) throw damaged("a key that is not text", content);
    return this.#endOfScalar(content);
  }

  /** Reads the type and the size of a value. @returns the offset of its content; for a pointer, the offset after it */
  #header(offset: number, depth: number, isTarget: boolean): number {
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
    this.#type = type === Type.Extended ? this.#byte(next++) + 7 : type;
    const size = control & 0x1f;
    if (size < 29) {
      this.#size = size;
      return next;
    }
    const sizeBytes = size - 28;
    this.#size = (sizeBytes === 1 ? 29 : sizeBytes === 2 ? 285 : 65_821) + this.#unsigned(next, sizeBytes);
    return next + sizeBytes;
  }

  #pointer(control: number, offset: number): number {
    const sizeBits = (control >> 3) & 3;
    const bytes = sizeBits + 1;
    const high = sizeBits === 3 ? 0 : (control & 7) * 2 ** (8 * bytes);
    this.#type = Type.Pointer;
    this.#size = this.#section.start + (pointerBase[sizeBits] ?? 0) + high + this.#unsigned(offset, bytes);
    return offset + bytes;
  }

  /** The offset after the scalar whose header was read last. */
  #endOfScalar(content: number): number {
    const type = this.#type;
    const size = this.#size;
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

  /** The scalar whose header was read last. */
  #scalar(content: number, end: number): unknown {
    switch (this.#type) {
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

function damaged(what: string, offset: number): DatabaseError {
  return new DatabaseError(`${what}, at byte ${offset}`);
}
