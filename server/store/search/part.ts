import type { ColumnName } from "../../event/columns.ts";
import type { Dictionary } from "../column-codec.ts";
import { rowsPerTrigrams } from "../schema.ts";
import type { ChunkIndex } from "./chunk-index.ts";
import type { FileReader, RowRange, SegmentRange } from "./file-reader.ts";

/** A column of a part. */
export interface PartColumn {
  readonly dictionary: Dictionary;
  /** For each row the position of its value in the dictionary; the size of the dictionary: it has none. */
  codes(): Uint16Array;
}

/** Consecutive rows whose columns can be read: a segment, or a chunk that is in no segment. Rows are numbered from 0. */
export interface Part extends SegmentRange {
  /** @throws DamagedBlob */
  times(): Float64Array;
  /** @throws DamagedBlob */
  column(name: ColumnName): PartColumn;
  /** The bitmap of trigrams that covers a row; undefined: there is none. @throws DamagedBlob */
  trigrams(row: number): Buffer | undefined;
}

/** A segment, read piece by piece when it is needed. */
export class Segment implements Part {
  readonly first: number;
  readonly rowCount: number;
  readonly t0: number;
  readonly t1: number;
  readonly #file: FileReader;
  readonly #columns = new Map<ColumnName, PartColumn>();
  #times: Float64Array | undefined;

  constructor(file: FileReader, { first, rowCount, t0, t1 }: SegmentRange) {
    this.#file = file;
    this.first = first;
    this.rowCount = rowCount;
    this.t0 = t0;
    this.t1 = t1;
  }

  times(): Float64Array {
    this.#times ??= this.#file.times(this);
    return this.#times;
  }

  column(name: ColumnName): PartColumn {
    const known = this.#columns.get(name);
    if (known) return known;
    const dictionary = this.#file.dictionary(this, name);
    let codes: Uint16Array | undefined;
    const column = {
      dictionary,
      codes: () => {
        codes ??= this.#file.codes(this, name, dictionary);
        return codes;
      },
    };
    this.#columns.set(name, column);
    return column;
  }

  trigrams(row: number): Buffer {
    return this.#file.trigrams(this.first + row - (row % rowsPerTrigrams));
  }
}

/** A chunk whose columns are computed from its documents. */
export class IndexedChunk implements Part {
  readonly first: number;
  readonly rowCount: number;
  readonly t0: number;
  readonly t1: number;
  readonly #file: FileReader;
  readonly #index: ChunkIndex;

  constructor(file: FileReader, { first, rowCount }: RowRange, index: ChunkIndex) {
    this.first = first;
    this.rowCount = rowCount;
    this.t0 = index.t0;
    this.t1 = index.t1;
    this.#file = file;
    this.#index = index;
  }

  times(): Float64Array {
    return this.#index.times;
  }

  column(name: ColumnName): PartColumn {
    const { dictionary, codes } = this.#index.columns(this.#file)[name];
    return { dictionary, codes: () => codes };
  }

  trigrams(): undefined {
    return undefined;
  }
}
