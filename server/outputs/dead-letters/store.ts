import { isFileTooLarge, isOutOfSpace } from "../../disk-errors.ts";
import type { Log } from "../../telemetry/log.ts";
import { AppendFile } from "./append-file.ts";
import { compact } from "./compaction.ts";
import { readRecord } from "./file.ts";
import type { DeadLetter } from "./record.ts";
import { RecordIndex } from "./record-index.ts";

export interface RecordLine {
  readonly sequence: number;
  /** As `recordLine` returns it. */
  readonly line: Buffer;
}

export interface DeadLetterStoreOptions {
  readonly path: string;
  readonly maxBytes: number;
  readonly log: Log;
  /** This many of the oldest records were removed to make room. */
  readonly onOverflow: (records: number) => void;
}

/** The share of `maxBytes` that the file and the new lines use after the oldest records were removed. */
const fillAfterOverflow = 7 / 8;

/**
 * One dead-letter file, as the only process that writes it sees it. Lines are appended; a compaction removes lines. The
 * methods that change the file must be called one after the other. Those that only read may be called at any time.
 */
export class DeadLetterStore {
  readonly #options: DeadLetterStoreOptions;
  /** undefined until the first record is written. */
  #file: AppendFile | undefined;
  #index = new RecordIndex();
  #maxBytes: number;
  /** How often in a row the disk had no room for the new file of a compaction that makes room. */
  #compactionsWithoutRoom = 0;

  private constructor(options: DeadLetterStoreOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes;
  }

  /** @throws Error when there is a file that cannot be read or written */
  static async open(options: DeadLetterStoreOptions): Promise<DeadLetterStore> {
    const store = new DeadLetterStore(options);
    try {
      await store.#load();
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  has(sequence: number): boolean {
    return this.#index.has(sequence);
  }

  /** The sequence numbers of the records, the oldest record first. */
  sequences(): Iterable<number> {
    return this.#index.sequences();
  }

  /** How many records the file holds, and the bytes that a compaction would keep. */
  waiting(): { readonly events: number; readonly bytes: number } {
    return { events: this.#index.recordCount, bytes: this.#index.liveBytes };
  }

  /** @returns undefined if there is no such record. @throws Error when it cannot be read */
  async read(sequence: number): Promise<DeadLetter | undefined> {
    for (;;) {
      const span = this.#index.spanOf(sequence);
      const file = this.#file;
      if (!span || !file) return undefined;
      try {
        return await readRecord(file.handle, span);
      } catch (error) {
        // A compaction has replaced and closed the file: the record is in the new one, or was removed.
        if (this.#file === file) throw error;
      }
    }
  }

  hasRoomFor(bytes: number): boolean {
    return this.#index.fileBytes + bytes <= this.#maxBytes;
  }

  /**
   * Appends records; all of them are on disk when it resolves. If the file is full, the oldest records are removed.
   * @throws the error of the system, such as ENOSPC; none of the records is added then
   */
  async addRecords(records: readonly RecordLine[]): Promise<void> {
    await this.#append(Buffer.concat(records.map(({ line }) => line)));
    for (const { sequence, line } of records) this.#index.add(sequence, line.length);
  }

  /** Appends a line that is not a record, such as that of delivered records. As `addRecords` otherwise. */
  async addNote(line: Buffer): Promise<void> {
    await this.#append(line);
    this.#index.addNote(line.length);
  }

  /** Removes a record from the index; its line stays in the file until the next compaction. @returns whether there was one */
  forget(sequence: number): boolean {
    return this.#index.remove(sequence);
  }

  /** Writes a file without the lines that are not needed any more, if there are any. */
  async removeUnusedLines(): Promise<void> {
    if (this.#index.fileBytes > this.#index.liveBytes) await this.#compact();
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** Opens and reads the file, if there is one. */
  async #load(): Promise<void> {
    const { path, log } = this.#options;
    const file = await AppendFile.open(path);
    if (!file) return;
    try {
      this.#index = await RecordIndex.read(file.handle);
    } catch (error) {
      // Without its index, the next append would overwrite the file.
      await file.close();
      throw error;
    }
    this.#file = file;
    const lines = this.#index.damagedCount;
    if (lines > 0)
      log.error("lines of the dead-letter file are damaged; they stay in the file", { path, lines });
    await this.removeUnusedLines().catch((error: unknown) => {
      if (!isOutOfSpace(error)) throw error;
      log.warn("cannot remove unused lines from the dead-letter file; they stay in it for now", {
        path,
        error: (error as Error).message,
      });
    });
  }

  async #append(lines: Buffer): Promise<void> {
    await this.#reloadIfReplaced();
    if (!this.hasRoomFor(lines.length)) await this.#makeRoomFor(lines.length);
    try {
      await this.#appendToFile(lines);
    } catch (error) {
      if (!isFileTooLarge(error) || this.#index.fileBytes === 0) throw error;
      // The process may write no larger file (ulimit -f): this one is as full as it can be.
      this.#maxBytes = Math.min(this.#maxBytes, this.#index.fileBytes);
      await this.#makeRoomFor(lines.length);
      await this.#appendToFile(lines);
    }
  }

  async #appendToFile(lines: Buffer): Promise<void> {
    this.#file ??= await AppendFile.create(this.#options.path);
    await this.#file.append(lines, this.#index.fileBytes);
  }

  /** If an operator removed, replaced or created the file, the content that it has now is valid. */
  async #reloadIfReplaced(): Promise<void> {
    const file = this.#file;
    if (file && (await file.isReplaced())) {
      this.#options.log.warn("the dead-letter file was removed or replaced; its current content is used", {
        path: this.#options.path,
      });
      this.#file = undefined;
      this.#index = new RecordIndex();
      await file.close();
    }
    if (!this.#file) await this.#load();
  }

  /**
   * Removes the oldest records, an eighth of the file and more if the disk has no room for a second file of that size: each
   * failure halves what is left, so that a full disk does not block delivery for good.
   */
  async #makeRoomFor(bytes: number): Promise<void> {
    const maxLiveBytes = (this.#maxBytes * fillAfterOverflow - bytes) / 2 ** this.#compactionsWithoutRoom;
    const removed = this.#index.removeOldest(maxLiveBytes);
    if (removed > 0) this.#options.onOverflow(removed);
    try {
      await this.#compact();
      this.#compactionsWithoutRoom = 0;
    } catch (error) {
      if (isOutOfSpace(error)) this.#compactionsWithoutRoom++;
      throw error;
    }
  }

  async #compact(): Promise<void> {
    const old = this.#file;
    if (!old) return;
    const file = await compact(this.#options.path, old, this.#index);
    this.#index = this.#index.compacted();
    this.#file = file;
    await old.close();
    await file.syncName();
  }
}
