import { type ColumnValues, columnNames, columns } from "../event/columns.ts";
import { ColumnBuilder } from "./column-builder.ts";
import { maxRowsPerSegment } from "./column-codec.ts";
import type { StoreRow } from "./docs-chunk.ts";
import { pack } from "./packed.ts";
import { indexOf } from "./row-index.ts";
import { rowsPerTrigrams } from "./schema.ts";
import { addTrigrams, trigramBytes } from "./trigrams.ts";

/** A segment whose values take up more memory is closed with fewer rows: a source may send long, different ones. */
const maxValueBytes = 32 * 1024 * 1024;

/** What is written of a segment: see schema.ts. */
export interface EncodedSegment {
  readonly rowCount: number;
  /** The earliest and the latest time of receipt. */
  readonly t0: number;
  readonly t1: number;
  readonly times: Buffer;
  readonly columns: readonly { readonly name: string; readonly dictionary: Buffer; readonly codes: Buffer }[];
  /** For each 2,048 rows. */
  readonly trigrams: readonly Buffer[];
}

/** Collects what is indexed of the rows after the last segment. */
export class SegmentBuilder {
  readonly #columns = columnNames.map((name) => ({ name, builder: new ColumnBuilder(columns[name].kind) }));
  readonly #times = new Float64Array(maxRowsPerSegment);
  readonly #bitmaps = Array.from(
    { length: maxRowsPerSegment / rowsPerTrigrams },
    () => new Uint8Array(trigramBytes),
  );
  readonly #onDefect: (error: Error) => void;
  #rowCount = 0;

  /** @param onDefect is told of each row that cannot be indexed */
  constructor(onDefect: (error: Error) => void) {
    this.#onDefect = onDefect;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get isFull(): boolean {
    if (this.#rowCount === maxRowsPerSegment) return true;
    return this.#columns.reduce((sum, { builder }) => sum + builder.sizeBytes, 0) > maxValueBytes;
  }

  /** @returns the values of the row */
  add(row: StoreRow): Partial<ColumnValues> {
    const { values, text } = indexOf(row, this.#onDefect);
    for (const { name, builder } of this.#columns) builder.add(values[name]);
    addTrigrams(this.#bitmaps[Math.floor(this.#rowCount / rowsPerTrigrams)] as Uint8Array, text);
    this.#times[this.#rowCount++] = row.receivedAt;
    return values;
  }

  clear(): void {
    for (const { builder } of this.#columns) builder.clear();
    for (const bitmap of this.#bitmaps) bitmap.fill(0);
    this.#rowCount = 0;
  }

  encode(): EncodedSegment {
    const times = this.#times.subarray(0, this.#rowCount);
    return {
      rowCount: this.#rowCount,
      t0: times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY),
      t1: times.reduce((most, time) => Math.max(most, time), Number.NEGATIVE_INFINITY),
      times: pack(Buffer.from(times.buffer, 0, times.byteLength)),
      columns: this.#columns.map(({ name, builder }) => ({ name, ...builder.encode() })),
      trigrams: this.#bitmaps.slice(0, Math.ceil(this.#rowCount / rowsPerTrigrams)).map(pack),
    };
  }
}
