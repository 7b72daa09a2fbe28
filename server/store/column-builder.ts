import type { ColumnKind } from "../event/columns.ts";
import {
  type ColumnValue,
  Dictionary,
  encodeCodes,
  encodeDictionary,
  maxRowsPerSegment,
} from "./column-codec.ts";

const absent = 0xffff;
/** What a value takes up in a map, beside its characters. */
const bytesPerValue = 64;

/** A column in memory. */
export interface BuiltColumn {
  readonly dictionary: Dictionary<readonly ColumnValue[]>;
  /** For each row the position of its value in the dictionary; the size of the dictionary: it has none. */
  readonly codes: Uint16Array;
}

/** Collects the values of one column, row by row, for rows that are in no segment yet. */
export class ColumnBuilder {
  readonly #kind: ColumnKind;
  /** In the order in which the values appeared; their positions are the codes. */
  #values: ColumnValue[] = [];
  readonly #codeOf = new Map<ColumnValue, number>();
  readonly #counts: Uint32Array;
  readonly #codes: Uint16Array;
  #rowCount = 0;
  #sizeBytes = 0;

  constructor(kind: ColumnKind, maxRows = maxRowsPerSegment) {
    this.#kind = kind;
    this.#counts = new Uint32Array(maxRows);
    this.#codes = new Uint16Array(maxRows);
  }

  /** About how much memory the values take up. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(value: ColumnValue | undefined): void {
    this.#codes[this.#rowCount++] = value === undefined ? absent : this.#code(value);
  }

  clear(): void {
    this.#counts.fill(0, 0, this.#values.length);
    this.#values = [];
    this.#codeOf.clear();
    this.#rowCount = 0;
    this.#sizeBytes = 0;
  }

  /** The two blobs of the column (column-codec.ts). */
  encode(): { readonly dictionary: Buffer; readonly codes: Buffer } {
    const { dictionary, codes } = this.build();
    return { dictionary: encodeDictionary(dictionary), codes: encodeCodes(codes, dictionary.size) };
  }

  build(): BuiltColumn {
    const order = Uint16Array.from(this.#values.keys());
    const values = this.#values;
    // Numbers by size, texts by their code units: the order of `<`.
    order.sort((a, b) => ((values[a] as ColumnValue) < (values[b] as ColumnValue) ? -1 : 1));
    const rank = new Uint16Array(order.length);
    for (const [sorted, code] of order.entries()) rank[code] = sorted;
    const codes = new Uint16Array(this.#rowCount);
    for (let row = 0; row < codes.length; row++) {
      const code = this.#codes[row] as number;
      codes[row] = code === absent ? order.length : (rank[code] as number);
    }
    const sorted = Array.from(order, (code) => values[code] as ColumnValue);
    const counts = Uint32Array.from(order, (code) => this.#counts[code] as number);
    return { dictionary: new Dictionary(this.#kind, sorted, counts), codes };
  }

  #code(value: ColumnValue): number {
    const known = this.#codeOf.get(value);
    const code = known ?? this.#values.length;
    if (known === undefined) {
      this.#codeOf.set(value, code);
      this.#values.push(value);
      this.#sizeBytes += bytesPerValue + (typeof value === "string" ? value.length : 8);
    }
    this.#counts[code] = (this.#counts[code] as number) + 1;
    return code;
  }
}
