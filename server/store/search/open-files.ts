import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { HistoryUnavailable } from "../../history/history-reader.ts";
import { listFiles } from "../store-directory.ts";
import type { StoreFileName } from "../store-file-name.ts";
import { ChunkIndex } from "./chunk-index.ts";
import { FileReader, type RowRange } from "./file-reader.ts";
import { UnreadableFile } from "./read-only-database.ts";

/** Of the indexes of chunks that are in no segment, together; there are usually 32 chunks at most. */
const maxIndexBytes = 24 * 1024 * 1024;

/**
 * The files of a store that are open for reading, and what was computed of rows that are in no segment.
 *
 * Files are opened when they are read. They have to be closed soon after: the disk space of a removed file is free when it
 * is closed, and the file that is written now cannot be sealed before.
 */
export class OpenFiles {
  readonly #dir: string;
  readonly #readers = new Map<string, FileReader>();
  /** In the order of their last use. */
  readonly #indexes = new Map<string, ChunkIndex>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The files in the order of their rows; none if the store has no directory yet. @throws HistoryUnavailable */
  list(): StoreFileName[] {
    return readable(() => listFiles(this.#dir));
  }

  /** @returns undefined if the file was removed @throws UnreadableFile; HistoryUnavailable if it cannot be opened */
  tryOpen(file: StoreFileName): FileReader | undefined {
    const path = join(this.#dir, file.name);
    const known = this.#readers.get(file.name);
    if (known && this.#isUsable(known, path)) return known;
    if (known) this.#closeReader(file.name, known);
    try {
      const reader = new FileReader(path, file);
      this.#readers.set(file.name, reader);
      return reader;
    } catch (error) {
      if (error instanceof UnreadableFile && !existsSync(path)) return undefined;
      // A file that is not damaged must not count as damaged.
      if (error instanceof UnreadableFile && error.isRefused && statSync(path).isFile())
        throw new HistoryUnavailable(error.message, { cause: error });
      throw error;
    }
  }

  /** The number after that of the file's last row; undefined: it was removed, or cannot be read. */
  tryEnd(file: StoreFileName): number | undefined {
    try {
      return this.tryOpen(file)?.end();
    } catch (error) {
      if (error instanceof UnreadableFile) return undefined;
      throw error;
    }
  }

  /** @throws DamagedBlob */
  indexOf(file: FileReader, range: RowRange): ChunkIndex {
    const key = `${file.identity} ${range.first} ${range.rowCount}`;
    const known = this.#indexes.get(key);
    if (!known) this.#evictIndexes();
    const index = known ?? new ChunkIndex(file, range);
    this.#indexes.delete(key);
    this.#indexes.set(key, index);
    return index;
  }

  /** The bytes that the files take up on disk. */
  sizeBytes(): number {
    return this.list().reduce((sum, { name }) => sum + this.#sizeOf(name) + this.#sizeOf(`${name}-wal`), 0);
  }

  /** Closes the file that may be written now. */
  closeWritten(): void {
    for (const [name, reader] of this.#readers) if (reader.isWritten) this.#closeReader(name, reader);
  }

  close(): void {
    for (const [name, reader] of this.#readers) this.#closeReader(name, reader);
  }

  #closeReader(name: string, reader: FileReader): void {
    reader.close();
    this.#readers.delete(name);
  }

  /** False: somebody has removed the file, or has begun to write a file that was not written when it was opened. */
  #isUsable({ isWritten }: FileReader, path: string): boolean {
    return existsSync(path) && (isWritten || !existsSync(`${path}-wal`));
  }

  /** Forgets the indexes that were not used for longest. */
  #evictIndexes(): void {
    let bytes = 0;
    for (const [key, { sizeBytes }] of [...this.#indexes].toReversed()) {
      bytes += sizeBytes;
      if (bytes > maxIndexBytes) this.#indexes.delete(key);
    }
  }

  #sizeOf(name: string): number {
    return statSync(join(this.#dir, name), { throwIfNoEntry: false })?.size ?? 0;
  }
}

/** @throws HistoryUnavailable with the reason if the file system refuses */
function readable<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new HistoryUnavailable(`cannot read the store: ${(error as Error).message}`, { cause: error });
  }
}
