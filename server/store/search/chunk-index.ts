import { type ColumnName, columnNames, columns } from "../../event/columns.ts";
import { type BuiltColumn, ColumnBuilder } from "../column-builder.ts";
import { indexOf } from "../row-index.ts";
import type { FileReader, PlacedChunk, RowRange } from "./file-reader.ts";

export type IndexedColumns = Readonly<Record<ColumnName, BuiltColumn>>;

/** Of the index itself, of each row, and of each value beside its characters. */
const bytesPerIndex = 4_096;
const bytesPerRow = 8 + columnNames.length * 2;
const bytesPerValue = 48;

/** Times and columns of the rows of a chunk that is in no segment. The columns are computed when they are needed. */
export class ChunkIndex {
  readonly times: Float64Array;
  /** The earliest and the latest time of receipt. */
  readonly t0: number;
  readonly t1: number;
  readonly #range: RowRange;
  #columns: IndexedColumns | undefined;
  #valueBytes = 0;

  /** @throws DamagedBlob */
  constructor(file: FileReader, range: RowRange) {
    const { first, chunk } = file.chunkOf(range.first);
    const skipped = range.first - first;
    this.#range = range;
    this.times = Float64Array.from({ length: range.rowCount }, (_, row) => chunk.receivedAt(skipped + row));
    this.t0 = this.times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
    this.t1 = this.times.reduce((most, time) => Math.max(most, time), Number.NEGATIVE_INFINITY);
  }

  /** About how much memory it takes up. */
  get sizeBytes(): number {
    return bytesPerIndex + this.times.length * bytesPerRow + this.#valueBytes;
  }

  /** @throws DamagedBlob */
  columns(file: FileReader): IndexedColumns {
    if (!this.#columns) {
      this.#columns = columnsOf(file.chunkOf(this.#range.first), this.#range);
      this.#valueBytes = columnNames.reduce((sum, name) => sum + bytesOf(this.#columns?.[name]), 0);
    }
    return this.#columns;
  }
}

function columnsOf({ first, chunk }: PlacedChunk, range: RowRange): IndexedColumns {
  const builders = columnNames.map((name) => new ColumnBuilder(columns[name].kind, range.rowCount));
  for (let i = 0; i < range.rowCount; i++) {
    const row = range.first - first + i;
    const document = chunk.document(row);
    // A row that has no columns because of a defect was reported when it was stored.
    const { values } = indexOf({ receivedAt: 0, sensorId: chunk.sensorId(row), document }, () => {});
    for (const [at, name] of columnNames.entries()) builders[at]?.add(values[name]);
  }
  return Object.fromEntries(columnNames.map((name, at) => [name, builders[at]?.build()])) as IndexedColumns;
}

function bytesOf(column: BuiltColumn | undefined): number {
  const values = column?.dictionary.values ?? [];
  return values.reduce<number>(
    (sum, value) => sum + bytesPerValue + (typeof value === "string" ? value.length * 2 : 0),
    0,
  );
}
