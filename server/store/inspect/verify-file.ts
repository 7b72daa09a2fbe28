import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ColumnName, columnNames } from "../../event/columns.ts";
import { NewerFile } from "../file-meta.ts";
import { DamagedBlob } from "../packed.ts";
import { rowsPerTrigrams } from "../schema.ts";
import { FileReader, type SegmentRange } from "../search/file-reader.ts";
import { UnreadableFile } from "../search/read-only-database.ts";
import type { StoreFileName } from "../store-file-name.ts";

/** Something that cannot be read. */
export interface Damage {
  /**
   * What it is: `documents` are lost; `times`, `columns` and `trigrams` are computed from the documents again by searches; a
   * file whose `pages` are damaged is moved to damaged/ when SQLite notices it; of a `file` nothing can be read.
   */
  readonly kind: "documents" | "times" | "columns" | "trigrams" | "pages" | "file";
  /** The first of its rows, and their number; undefined: it is not about certain rows. */
  readonly rows: { readonly first: number; readonly count: number } | undefined;
  readonly reason: string;
}

export interface VerifiedFile {
  /** As far as their number is known. */
  readonly rows: number;
  readonly damage: readonly Damage[];
  /** Why the file was not read: a newer Loom wrote it. */
  readonly skipped: string | undefined;
}

/**
 * Reads every blob of a file, and the pages of SQLite unless the file is written now: that would keep the writer from copying
 * its log into the file for as long. A file that is removed meanwhile is not damaged.
 * @returns after it has yielded how much of the file was read, from 0 to 1
 */
export function* verifyFile(dir: string, name: StoreFileName): Generator<number, VerifiedFile> {
  const path = join(dir, name.name);
  for (;;) {
    const wasWritten = existsSync(`${path}-wal`);
    const verified = yield* readFile(path, name);
    // A Loom that starts continues to write a plain file, which is then not what was read.
    const hasChanged = !wasWritten && existsSync(`${path}-wal`);
    if (verified.damage.length === 0 || !hasChanged) return verified;
  }
}

function* readFile(path: string, name: StoreFileName): Generator<number, VerifiedFile> {
  try {
    const file = new FileReader(path, name);
    try {
      return yield* new FileCheck(file).run();
    } finally {
      file.close();
    }
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    if (!existsSync(path)) return { rows: 0, damage: [], skipped: undefined };
    if (error.cause instanceof NewerFile) return { rows: 0, damage: [], skipped: error.cause.message };
    const damage: Damage = { kind: "file", rows: undefined, reason: error.message };
    return { rows: 0, damage: [damage], skipped: undefined };
  }
}

/** About how the time is divided: documents are most of a file. */
const documentsShare = 0.8;

class FileCheck {
  readonly #file: FileReader;
  readonly #end: number;
  readonly #damage: Damage[] = [];

  constructor(file: FileReader) {
    this.#file = file;
    this.#end = file.end();
  }

  *run(): Generator<number, VerifiedFile> {
    const { firstRow } = this.#file.name;
    const rows = this.#end - firstRow;
    if (!this.#file.isWritten) {
      const reason = this.#file.pageDamage();
      if (reason !== undefined) this.#damage.push({ kind: "pages", rows: undefined, reason });
      yield 0;
    }
    for (let row = firstRow; row < this.#end; ) {
      row = this.#checkChunk(row);
      yield (documentsShare * (row - firstRow)) / rows;
    }
    for (let row = firstRow; row < this.#end; ) {
      row = this.#checkSegment(row);
      yield documentsShare + ((1 - documentsShare) * (row - firstRow)) / rows;
    }
    return { rows, damage: this.#damage, skipped: undefined };
  }

  /** @returns the row after the chunk that has this one, or after the rows that are missing */
  #checkChunk(row: number): number {
    try {
      return this.#file.chunkOf(row).end;
    } catch (error) {
      if (!(error instanceof DamagedBlob)) throw error;
      const at = this.#file.chunkUpTo(row);
      const hasRow = at !== undefined && row < at.first + at.rowCount;
      const end = Math.min(hasRow ? at.first + at.rowCount : this.#file.nextChunkAfter(row), this.#end);
      this.#damage.push({
        kind: "documents",
        rows: { first: row, count: end - row },
        reason: hasRow ? error.message : "they are missing",
      });
      return end;
    }
  }

  /** @returns the row after the first segment that begins at this row or later, or after the last row */
  #checkSegment(row: number): number {
    const first = this.#file.nextSegmentAfter(row - 1);
    const segment = first < this.#end ? this.#file.segmentUpTo(first) : undefined;
    if (segment === undefined) return this.#end;
    const all = { first: segment.first, count: segment.rowCount };
    this.#check("times", all, () => this.#file.times(segment));
    for (const column of columnNames) this.#check("columns", all, () => this.#readColumn(segment, column));
    const end = segment.first + segment.rowCount;
    for (let at = segment.first; at < end; at += rowsPerTrigrams) {
      const count = Math.min(rowsPerTrigrams, end - at);
      this.#check("trigrams", { first: at, count }, () => this.#file.trigrams(at));
    }
    return end;
  }

  #readColumn(segment: SegmentRange, column: ColumnName): void {
    try {
      this.#file.codes(segment, column, this.#file.dictionary(segment, column));
    } catch (error) {
      if (!(error instanceof DamagedBlob)) throw error;
      throw new DamagedBlob(`${column}: ${error.message}`, { cause: error });
    }
  }

  #check(kind: Damage["kind"], rows: Damage["rows"], read: () => unknown): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof DamagedBlob)) throw error;
      this.#damage.push({ kind, rows, reason: error.message });
    }
  }
}
