import { type ColumnName, columns } from "../../event/columns.ts";
import { type Dictionary, decodeCodes, decodeDictionary, maxRowsPerSegment } from "../column-codec.ts";
import { Chunk, maxRowsPerChunk } from "../docs-chunk.ts";
import { readPosition } from "../file-meta.ts";
import { DamagedBlob, unpack } from "../packed.ts";
import type { StoreFileName } from "../store-file-name.ts";
import { trigramBytes } from "../trigrams.ts";
import { ReadOnlyDatabase, UnreadableFile } from "./read-only-database.ts";

/** Consecutive rows. */
export interface RowRange {
  readonly first: number;
  readonly rowCount: number;
}

export interface SegmentRange extends RowRange {
  /** The earliest and the latest time of receipt, in milliseconds since the epoch. */
  readonly t0: number;
  readonly t1: number;
}

interface ChunkRange extends RowRange {
  readonly table: "docs" | "tail";
}

/** A chunk with the numbers of its first row and of the row after its last one. */
export interface PlacedChunk {
  readonly first: number;
  readonly end: number;
  readonly chunk: Chunk;
}

/** A chunk is moved from `tail` to `docs` while it is read, at most once. */
const maxMoves = 3;

/**
 * Reads a file of the store, beside the writer. Rows never change, so that they are found by their numbers, whatever is
 * written meanwhile.
 */
export class FileReader {
  readonly name: StoreFileName;
  /** Differs from that of another file that had the same name. */
  readonly identity: string;
  readonly #database: ReadOnlyDatabase;
  /** The chunk that was read last, because searches read several rows of it, one after the other. */
  #chunk: PlacedChunk | undefined;

  /** @throws UnreadableFile */
  constructor(path: string, name: StoreFileName) {
    this.name = name;
    this.#database = new ReadOnlyDatabase(path);
    this.identity = `${name.name} ${this.#database.inode}`;
    try {
      this.#database.try(readPosition);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether the writer may be writing it. Such a file has to be closed soon, because it cannot be sealed until then. */
  get isWritten(): boolean {
    return this.#database.isWritten;
  }

  /** The number after that of the last row. @throws UnreadableFile */
  end(): number {
    const ends = (["docs", "tail"] as const).map((table) => {
      const last = this.#database.get<{ row: unknown; n: unknown }>(
        `SELECT row, n FROM ${table} ORDER BY row DESC LIMIT 1`,
      );
      return last ? this.#endOf(last.row, last.n, maxRowsPerChunk) : this.name.firstRow;
    });
    return Math.max(...ends);
  }

  /** The last segment that begins at this row or before it. @throws UnreadableFile */
  segmentUpTo(row: number): SegmentRange | undefined {
    const found = this.#database.get<{ row: unknown; n: unknown; t0: unknown; t1: unknown }>(
      "SELECT row, n, t0, t1 FROM seg WHERE row <= ? ORDER BY row DESC LIMIT 1",
      row,
    );
    if (!found) return undefined;
    const end = this.#endOf(found.row, found.n, maxRowsPerSegment);
    const first = Number(found.row);
    return { first, rowCount: end - first, t0: Number(found.t0), t1: Number(found.t1) };
  }

  /** The last chunk that begins at this row or before it. @throws UnreadableFile */
  chunkUpTo(row: number): ChunkRange | undefined {
    const part = (table: string) =>
      `SELECT * FROM (SELECT row, n, '${table}' AS t FROM ${table} WHERE row <= ?1 ORDER BY row DESC LIMIT 1)`;
    const found = this.#database.get<{ row: unknown; n: unknown; t: unknown }>(
      `${part("docs")} UNION ALL ${part("tail")} ORDER BY row DESC LIMIT 1`,
      row,
    );
    if (!found) return undefined;
    const first = Number(found.row);
    const rowCount = this.#endOf(found.row, found.n, maxRowsPerChunk) - first;
    return { first, rowCount, table: found.t === "docs" ? "docs" : "tail" };
  }

  /** The first row after this one with which a chunk begins; infinite: there is none. @throws UnreadableFile */
  nextChunkAfter(row: number): number {
    return Math.min(this.#nextAfter("docs", row), this.#nextAfter("tail", row));
  }

  /** The first row after this one with which a segment begins; infinite: there is none. @throws UnreadableFile */
  nextSegmentAfter(row: number): number {
    return this.#nextAfter("seg", row);
  }

  /** The chunk that has this row. @throws DamagedBlob, UnreadableFile */
  chunkOf(row: number): PlacedChunk {
    if (this.#chunk && row >= this.#chunk.first && row < this.#chunk.end) return this.#chunk;
    for (let moves = 0; moves < maxMoves; moves++) {
      const at = this.chunkUpTo(row);
      const blob = at && this.#database.tryBlob(`SELECT z FROM ${at.table} WHERE row = ?`, at.first);
      if (!blob) continue;
      const chunk = new Chunk(blob);
      if (chunk.rowCount !== at.rowCount || row >= at.first + at.rowCount)
        throw new DamagedBlob(`a chunk has ${chunk.rowCount} rows instead of ${at.rowCount}`);
      this.#chunk = { first: at.first, end: at.first + at.rowCount, chunk };
      return this.#chunk;
    }
    throw new DamagedBlob(`the chunk of row ${row} is missing`);
  }

  /** @throws DamagedBlob */
  times({ first, rowCount }: RowRange): Float64Array {
    const bytes = unpack(
      this.#database.blob("SELECT times FROM seg WHERE row = ?", first),
      maxRowsPerSegment * 8,
    );
    if (bytes.length !== rowCount * 8)
      throw new DamagedBlob(`the times of ${rowCount} rows cannot have ${bytes.length} bytes`);
    return new Float64Array(new Uint8Array(bytes).buffer);
  }

  /** @throws DamagedBlob */
  dictionary(segment: RowRange, column: ColumnName): Dictionary {
    const blob = this.#database.blob("SELECT dict FROM col WHERE seg = ? AND c = ?", segment.first, column);
    return decodeDictionary(columns[column].kind, blob);
  }

  /** @throws DamagedBlob */
  codes({ first, rowCount }: RowRange, column: ColumnName, { size }: Dictionary): Uint16Array {
    const blob = this.#database.blob("SELECT codes FROM col WHERE seg = ? AND c = ?", first, column);
    return decodeCodes(blob, rowCount, size);
  }

  /** The bitmap of the rows that begin with this one. @throws DamagedBlob */
  trigrams(row: number): Buffer {
    const bits = unpack(this.#database.blob("SELECT z FROM grams WHERE row = ?", row), trigramBytes);
    if (bits.length !== trigramBytes)
      throw new DamagedBlob(`a bitmap of trigrams cannot have ${bits.length} bytes`);
    return bits;
  }

  /** What SQLite finds wrong with the pages of the file; undefined: nothing. Reads all of them. */
  pageDamage(): string | undefined {
    return this.#database.pageDamage();
  }

  close(): void {
    this.#chunk = undefined;
    this.#database.close();
  }

  #nextAfter(table: string, row: number): number {
    const found = this.#database.get<{ row: unknown }>(
      `SELECT min(row) AS row FROM ${table} WHERE row > ?`,
      row,
    );
    return typeof found?.row === "number" ? found.row : Number.POSITIVE_INFINITY;
  }

  #endOf(row: unknown, n: unknown, maxRows: number): number {
    const end = Number(row) + Number(n);
    if (
      !Number.isSafeInteger(end) ||
      Number(row) < this.name.firstRow ||
      Number(n) < 1 ||
      Number(n) > maxRows
    )
      throw new UnreadableFile(`the numbers of the rows in ${this.name.name} are wrong`);
    return end;
  }
}
