import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ClosedFiles } from "./closed-files.ts";
import { NewerFile, type StorePosition } from "./file-meta.ts";
import type { FirstSeenRecorder } from "./first-seen/recorder.ts";
import { type FileContext, OpenFile } from "./open-file.ts";
import {
  countRows,
  hasLog,
  inspectClosed,
  isUnused,
  listDamagedFiles,
  listFiles,
  moveToDamaged,
  removeFile,
} from "./store-directory.ts";
import { isDamage, isFull } from "./store-errors.ts";
import { fileName, maxRowsPerFile, type StoreFileName } from "./store-file-name.ts";
import type { StoreNotes } from "./store-notes.ts";

/**
 * The files of a directory: the newest one, which is written, and the closed ones. After an error of any method, `abandon`
 * has to be called; the newest file is opened again at the next use.
 */
export class StoreFiles {
  readonly closed: ClosedFiles;
  readonly #dir: string;
  readonly #note: StoreNotes;
  readonly #context: FileContext;
  /** Open or not. */
  #newest: StoreFileName | undefined;
  #open: OpenFile | undefined;
  #position: StorePosition = { outboxId: "", sequence: 0 };
  /** No row has this number or a larger one, except in the open file. */
  #nextRow = 1;
  #damagedEvents = 0;
  #defects = 0;

  constructor(dir: string, note: StoreNotes, firstSeen: FirstSeenRecorder) {
    this.#dir = dir;
    this.#note = note;
    this.#context = {
      dir,
      onDefect: (error) => this.#noteDefect(error),
      onStored: (receivedAt, values) => firstSeen.add(receivedAt, values),
      // If the store's commit fails, its rows are delivered again with the same times, and noting them again changes nothing.
      beforeCommit: () => firstSeen.flush(),
    };
    this.closed = new ClosedFiles(dir, note);
  }

  get open(): OpenFile | undefined {
    return this.#open;
  }

  /** The last event that is stored. */
  get position(): StorePosition {
    return this.#open?.position ?? this.#position;
  }

  /** Rows that turned out to be unreadable. */
  get damagedEvents(): number {
    return this.#damagedEvents;
  }

  /** Reads what the directory has. Files that are damaged are moved to damaged/. */
  adopt(): void {
    const files = listFiles(this.#dir);
    this.#newest = files.pop();
    for (const [i, name] of files.entries()) {
      const next = files[i + 1] ?? this.#newest;
      this.#adoptClosed(name, next && next.firstRow - name.firstRow);
    }
    // The rows of a damaged file may have had any number, if no file follows it.
    const lastKnown = Math.max(this.#nextRow, this.#newest?.firstRow ?? 0);
    for (const { firstRow } of listDamagedFiles(this.#dir))
      if (firstRow >= lastKnown) this.#skipRowsOf(firstRow);
    try {
      this.openNewest();
    } catch (error) {
      this.abandon();
      if (isDamage(error)) this.moveNewestToDamaged(error);
      // What is too much for the disk is removed before the next row is stored.
      else if (!isFull(error, this.#dir)) throw error;
    }
  }

  /** Opens the newest file. @returns undefined if the next row begins a file */
  openNewest(): OpenFile | undefined {
    if (this.#open?.isRemoved) {
      const { name } = this.#open.name;
      this.#note("warn", "somebody removed the newest file of the store or its log", { file: name });
      this.abandon();
    }
    const name = this.#newest;
    if (this.#open || name === undefined) return this.#open;
    if (!existsSync(join(this.#dir, name.name)) || isUnused(this.#dir, name)) {
      removeFile(this.#dir, name);
      this.#newest = undefined;
      return undefined;
    }
    try {
      this.#use(OpenFile.open(this.#context, name));
    } catch (error) {
      if (!(error instanceof NewerFile)) throw error;
      this.#leaveNewer(name, error);
      this.#newest = undefined;
    }
    return this.#open;
  }

  /** Closes the newest file and begins another one. @param isImported whether it is for imported rows */
  begin(day: number, isImported = false): OpenFile {
    this.closeNewest();
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const name = fileName(day, this.#nextRow);
    // Somebody may have left the log of a file that had this name.
    removeFile(this.#dir, name);
    this.#newest = name;
    return this.#use(OpenFile.create(this.#context, name, this.#position, isImported));
  }

  /** Closes the open file for good. */
  closeNewest(): void {
    const file = this.#open;
    if (file === undefined) return;
    if (file.nextRow === file.name.firstRow) {
      this.abandon();
      removeFile(this.#dir, file.name);
    } else {
      file.seal();
      this.abandon();
      this.closed.add(inspectClosed(this.#dir, file.name));
    }
    this.#newest = undefined;
  }

  /** Closes the open file, so that it is opened again at the next use. */
  abandon(): void {
    const file = this.#open;
    if (file === undefined) return;
    this.#open = undefined;
    this.#position = file.position;
    this.#nextRow = Math.max(this.#nextRow, file.nextRow);
    try {
      file.close();
    } catch (error) {
      this.#note("warn", "a file of the store cannot be closed", { error: (error as Error).message });
    }
  }

  /** Closes files again that another connection used when they were closed. */
  makePlain(): void {
    for (const name of this.closed.names)
      if (hasLog(this.#dir, name)) OpenFile.open(this.#context, name).seal();
  }

  /** @returns false if there is no newest file */
  moveNewestToDamaged(error: unknown): boolean {
    const name = this.#newest;
    if (name === undefined) return false;
    this.#moveToDamaged(name, error, countRows(this.#dir, name));
    this.#newest = undefined;
    return true;
  }

  #use(file: OpenFile): OpenFile {
    this.#open = file;
    this.#countDamaged(file);
    return file;
  }

  /** @param maxRows as many rows as the numbers of this file and the next one allow */
  #adoptClosed(name: StoreFileName, maxRows = 0): void {
    try {
      if (isUnused(this.#dir, name)) {
        removeFile(this.#dir, name);
        return;
      }
      if (hasLog(this.#dir, name)) {
        const unclosed = OpenFile.open(this.#context, name);
        this.#countDamaged(unclosed);
        unclosed.seal();
      }
      const file = inspectClosed(this.#dir, name);
      this.closed.add(file);
      this.#position = file.position;
      this.#nextRow = Math.max(this.#nextRow, name.firstRow + file.rows);
    } catch (error) {
      if (error instanceof NewerFile) this.#leaveNewer(name, error);
      else if (isDamage(error)) this.#moveToDamaged(name, error, maxRows < maxRowsPerFile ? maxRows : 0);
      else throw error;
    }
  }

  #leaveNewer(name: StoreFileName, error: NewerFile): void {
    this.#skipRowsOf(name.firstRow);
    this.#note("warn", `a file of the store is not used: ${error.message}`, { file: name.name });
  }

  #moveToDamaged(name: StoreFileName, error: unknown, rows: number): void {
    const path = moveToDamaged(this.#dir, name);
    this.#damagedEvents += rows;
    this.#skipRowsOf(name.firstRow);
    this.#note("error", "a file of the store is damaged; it is moved to damaged/", {
      file: path,
      events: rows,
      error: (error as Error).message,
    });
  }

  #countDamaged({ name, damagedRows }: OpenFile): void {
    if (damagedRows === 0) return;
    this.#damagedEvents += damagedRows;
    this.#note("error", "events of the store are damaged and cannot be read", {
      file: name.name,
      events: damagedRows,
    });
  }

  /** No row gets a number that a file which begins with `firstRow` may have used. */
  #skipRowsOf(firstRow: number): void {
    this.#nextRow = Math.max(this.#nextRow, firstRow + maxRowsPerFile);
  }

  /** Only the first is logged: a source could repeat it with every event. */
  #noteDefect(error: Error): void {
    if (this.#defects++ > 0) return;
    this.#note("error", "BUG: an event cannot be indexed; it is stored, and found by its text only", {
      error: error.message,
    });
  }
}
