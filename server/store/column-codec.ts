import type { ColumnKind } from "../event/columns.ts";
import { DamagedBlob, pack, unpack } from "./packed.ts";
import { tryReadValues, type ValueList } from "./packed-values.ts";

/*
 * A column of a segment: a dictionary of its values, sorted, with the number of rows of each, and one code for each row, the
 * position of its value in the dictionary. A row without a value has a code equal to the number of values.
 *
 *   dictionary   uint32 number of values n, uint32[n] rows of each value, then the values:
 *                  numbers: float64[n]
 *                  texts:   uint32[n] bytes of each, then the bytes, UTF-8
 *                  addresses: 16 bytes each, IPv4 as ::ffff:0:0/96
 *   codes        uint8[rows] low bytes, and if there are more than 255 values uint8[rows] high bytes
 *
 * Both are compressed (packed.ts), all numbers little-endian.
 */

/** A number, a text, or the 16 bytes of an address as a text of 16 characters up to U+00FF (see addressKey). */
export type ColumnValue = number | string;

export const maxRowsPerSegment = 16_384;
const maxDictionaryBytes = 256 * 1024 * 1024;
const onePlane = 255;

/** The values of a column, ascending: numbers by size, addresses by their bytes, texts by their UTF-16 code units. */
export class Dictionary<Values extends ValueList = ValueList> {
  readonly kind: ColumnKind;
  readonly values: Values;
  /** The number of rows of each value. */
  readonly counts: Uint32Array;

  constructor(kind: ColumnKind, values: Values, counts: Uint32Array) {
    this.kind = kind;
    this.values = values;
    this.counts = counts;
  }

  get size(): number {
    return this.values.length;
  }

  /** The position of the first value that is not below `value`; `size` if there is none. */
  lowerBound(value: ColumnValue): number {
    let low = 0;
    let high = this.values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.values.at(middle) as ColumnValue) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The position of a value; undefined: no row has it. */
  find(value: ColumnValue): number | undefined {
    const at = this.lowerBound(value);
    return this.values.at(at) === value ? at : undefined;
  }
}

export function encodeDictionary({ kind, values, counts }: Dictionary<readonly ColumnValue[]>): Buffer {
  const head = Buffer.alloc(4 + values.length * 4);
  head.writeUInt32LE(values.length);
  for (const [i, count] of counts.entries()) head.writeUInt32LE(count, 4 + i * 4);
  return pack(Buffer.concat([head, encodeValues(kind, values)]));
}

/** The values are decoded when they are read. @throws DamagedBlob */
export function decodeDictionary(kind: ColumnKind, blob: Uint8Array): Dictionary {
  const bytes = unpack(blob, maxDictionaryBytes);
  const size = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  const valuesAt = 4 + size * 4;
  if (size > maxRowsPerSegment || valuesAt > bytes.length) throw damaged(size, bytes.length);
  const values = tryReadValues(kind, bytes.subarray(valuesAt), size);
  if (!values) throw damaged(size, bytes.length);
  return new Dictionary(kind, values, new Uint32Array(new Uint8Array(bytes.subarray(4, valuesAt)).buffer));
}

/** @param codes one for each row, at most `valueCount` */
export function encodeCodes(codes: Uint16Array, valueCount: number): Buffer {
  const planes = valueCount > onePlane ? 2 : 1;
  const bytes = Buffer.alloc(codes.length * planes);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] as number;
    bytes[row] = code & 0xff;
    if (planes === 2) bytes[codes.length + row] = code >>> 8;
  }
  return pack(bytes);
}

/** @throws DamagedBlob */
export function decodeCodes(blob: Uint8Array, rowCount: number, valueCount: number): Uint16Array {
  const bytes = unpack(blob, maxRowsPerSegment * 2);
  const planes = valueCount > onePlane ? 2 : 1;
  if (bytes.length !== rowCount * planes) throw damaged(valueCount, bytes.length);
  const codes = new Uint16Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const high = planes === 2 ? (bytes[rowCount + row] as number) << 8 : 0;
    codes[row] = (bytes[row] as number) | high;
  }
  return codes;
}

function encodeValues(kind: ColumnKind, values: readonly ColumnValue[]): Buffer {
  switch (kind) {
    case "number": {
      const bytes = Buffer.alloc(values.length * 8);
      for (const [i, value] of values.entries()) bytes.writeDoubleLE(Number(value), i * 8);
      return bytes;
    }
    case "address":
      return Buffer.from(values.join(""), "latin1");
    case "text": {
      const texts = values.map((value) => Buffer.from(String(value)));
      const lengths = Buffer.alloc(texts.length * 4);
      for (const [i, text] of texts.entries()) lengths.writeUInt32LE(text.length, i * 4);
      return Buffer.concat([lengths, ...texts]);
    }
  }
}

function damaged(valueCount: number, bytes: number): DamagedBlob {
  return new DamagedBlob(`a column with ${valueCount} values cannot have ${bytes} bytes`);
}
