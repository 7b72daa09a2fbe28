import type { Database } from "bun:sqlite";
import type { ColumnValues } from "../event/columns.ts";
import {
  type ChunkRow,
  chunkRowOf,
  encodeChunk,
  maxBytesPerChunk,
  maxRowsPerChunk,
  type StoreRow,
} from "./docs-chunk.ts";
import type { RowObserver } from "./row-index.ts";
import { rowsPerTrigrams } from "./schema.ts";
import { SegmentBuilder } from "./segment-builder.ts";

/**
 * Writes the rows of one file: collects them to chunks and segments. Each method is called within a transaction. If that
 * fails, the writer does not agree with the file any more and has to be discarded.
 *
 * A chunk ends where a segment or the rows of a bitmap of trigrams end.
 */
export class RowWriter {
  readonly #database: Database;
  readonly #segment: SegmentBuilder;
  readonly #observer: RowObserver;
  /** The number of the next row. */
  #nextRow: number;
  /** The rows after the last chunk. */
  #pending: ChunkRow[] = [];
  #pendingBytes = 0;
  /** How many of them are in `tail` already. */
  #inTail = 0;

  constructor(database: Database, nextRow: number, observer: RowObserver) {
    this.#database = database;
    this.#segment = new SegmentBuilder(observer.onDefect);
    this.#observer = observer;
    this.#nextRow = nextRow;
  }

  get nextRow(): number {
    return this.#nextRow;
  }

  /** Adds rows and stores them. Their documents are copied where they are needed longer. */
  append(rows: readonly StoreRow[]): void {
    for (const row of rows) this.#observer.onStored(row.receivedAt, this.#add(row));
    this.#writeTail();
  }

  /** Adds rows of a chunk of the file that no segment has yet. */
  restoreChunk(row: number, rows: readonly StoreRow[]): void {
    this.continueAt(row);
    for (const one of rows) {
      this.#segment.add(one);
      this.#nextRow++;
    }
    if (this.#segment.isFull) this.#writeSegment();
  }

  /** Adds rows that were in `tail`. They have to be stored again, with `append`. */
  restoreTail(row: number, rows: readonly StoreRow[]): void {
    this.continueAt(row);
    for (const one of rows) this.#add(one);
  }

  /** Ends the chunk and the segment. The next row, if there is one, begins others. */
  end(): void {
    this.#endChunk();
    this.#writeSegment();
  }

  /** The next row has this number. Rows before it that were not added are not in any segment. */
  continueAt(row: number): void {
    if (row === this.#nextRow) return;
    this.end();
    this.#nextRow = row;
  }

  /** @returns the values of the row */
  #add(row: StoreRow): Partial<ColumnValues> {
    if (this.#pendingBytes > 0 && this.#pendingBytes + row.document.length > maxBytesPerChunk)
      this.#endChunk();
    this.#pending.push(chunkRowOf(row));
    this.#pendingBytes += row.document.length;
    const values = this.#segment.add(row);
    this.#nextRow++;
    const isFull =
      this.#pending.length === maxRowsPerChunk ||
      this.#pendingBytes >= maxBytesPerChunk ||
      this.#segment.rowCount % rowsPerTrigrams === 0;
    if (isFull) this.#endChunk();
    return values;
  }

  #endChunk(): void {
    const rows = this.#pending;
    if (rows.length > 0) {
      const row = this.#nextRow - rows.length;
      this.#database.query("INSERT INTO docs VALUES (?, ?, ?)").run(row, rows.length, encodeChunk(rows));
      if (this.#inTail > 0)
        this.#database.query("DELETE FROM tail WHERE row >= ? AND row < ?").run(row, this.#nextRow);
    }
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#inTail = 0;
    if (this.#segment.isFull) this.#writeSegment();
  }

  #writeTail(): void {
    const rows = this.#pending.slice(this.#inTail);
    if (rows.length === 0) return;
    this.#database
      .query("INSERT INTO tail VALUES (?, ?, ?)")
      .run(this.#nextRow - rows.length, rows.length, encodeChunk(rows));
    for (let i = this.#inTail; i < this.#pending.length; i++) {
      const row = this.#pending[i] as ChunkRow;
      // A row of a delivery would keep the memory of all its rows.
      this.#pending[i] = { ...row, document: Buffer.from(row.document) };
    }
    this.#inTail = this.#pending.length;
  }

  #writeSegment(): void {
    if (this.#segment.rowCount === 0) return;
    const { rowCount, t0, t1, times, columns, trigrams } = this.#segment.encode();
    const row = this.#nextRow - rowCount;
    this.#database.query("INSERT INTO seg VALUES (?, ?, ?, ?, ?)").run(row, rowCount, t0, t1, times);
    for (const { name, dictionary, codes } of columns)
      this.#database.query("INSERT INTO col VALUES (?, ?, ?, ?)").run(row, name, dictionary, codes);
    for (const [i, bitmap] of trigrams.entries()) {
      const first = i * rowsPerTrigrams;
      this.#database
        .query("INSERT INTO grams VALUES (?, ?, ?)")
        .run(row + first, Math.min(rowsPerTrigrams, rowCount - first), bitmap);
    }
    this.#segment.clear();
  }
}
