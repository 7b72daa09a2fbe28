import { damaged } from "./database-error.ts";
import { type Section, Type, unused, ValueReader } from "./database-values.ts";
import { slotOf } from "./slot-of.ts";
import type { WantedMember, WantedMembers } from "./wanted-members.ts";

/*
 * Reads records in the data section of a MaxMind DB file
 * (https://maxmind.github.io/MaxMind-DB/, "Output Data Section Format").
 *
 * A file may be damaged or hostile: a pointer to one of its own parents, arrays of pointers to arrays of pointers, or a size of 16
 * million without elements. So everything is read within bounds that are far beyond real records.
 */

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
  readonly #bytes: Buffer;
  readonly #values: ValueReader;
  /** Whether the targets of pointers are examined even if nothing in them is wanted. */
  #isThorough = false;
  /** The member whose key was read last; undefined: it is not wanted. */
  #member: WantedMember | undefined;
  /** The value that was decoded last. */
  #decoded: unknown;
  /** The targets of pointers that were decoded lately, and the members whose keys are the targets of pointers. */
  readonly #targets = new Array<Target<unknown> | undefined>(2 ** targetBits).fill(undefined);
  readonly #keys = new Array<Target<WantedMember | undefined> | undefined>(2 ** targetBits).fill(undefined);

  constructor(section: Section) {
    this.#bytes = section.bytes;
    this.#values = new ValueReader(section);
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
    this.#values.beginRecord();
  }

  /** @returns the offset after the value */
  #skip(offset: number, depth: number, isTarget: boolean): number {
    const content = this.#values.header(offset, depth, isTarget);
    const size = this.#values.size;
    switch (this.#values.type) {
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
        return this.#values.endOfScalar(content);
    }
  }

  /** Decodes a value into `#decoded`. @returns the offset after the value */
  #decode(offset: number, depth: number, wanted: WantedMembers, isTarget: boolean): number {
    const content = this.#values.header(offset, depth, isTarget);
    const size = this.#values.size;
    switch (this.#values.type) {
      case Type.Pointer:
        this.#decodeTarget(size, depth + 1, wanted);
        return content;
      case Type.Map:
        return this.#decodeMap(content, size, depth + 1, wanted);
      case Type.Array:
        return this.#decodeArray(content, size, depth + 1, wanted);
      default: {
        const end = this.#values.endOfScalar(content);
        this.#decoded = this.#values.scalar(content, end);
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
    const content = this.#values.header(offset, depth, false);
    if (this.#values.type !== Type.Pointer) {
      const end = this.#endOfKey(content);
      this.#member = wanted.find(this.#bytes, content, end);
      return end;
    }
    const target = this.#values.size;
    const slot = slotOf(target, targetBits);
    const known = this.#keys[slot];
    if (known?.offset === target && known.wanted === wanted) this.#member = known.value;
    else {
      const text = this.#values.header(target, depth + 1, true);
      this.#member = wanted.find(this.#bytes, text, this.#endOfKey(text));
      this.#keys[slot] = { offset: target, wanted, value: this.#member };
    }
    return content;
  }

  /** @returns the offset after the key */
  #skipKey(offset: number, depth: number): number {
    const content = this.#values.header(offset, depth, false);
    if (this.#values.type !== Type.Pointer) return this.#endOfKey(content);
    if (this.#isThorough) this.#endOfKey(this.#values.header(this.#values.size, depth + 1, true));
    return content;
  }

  #endOfKey(content: number): number {
    if (this.#values.type !== Type.Text) throw damaged("a key that is not text", content);
    return this.#values.endOfScalar(content);
  }
}
