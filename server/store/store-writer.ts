import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ClosedFiles } from "./closed-files.ts";
import type { StoreRow } from "./docs-chunk.ts";
import { NewerFile, type StorePosition } from "./file-meta.ts";
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
import { CannotStore, diskSpace, isDamage, isFull } from "./store-errors.ts";
import { dayOf, fileName, maxRowsPerFile, type StoreFileName } from "./store-file-name.ts";
import type { StoreNotes } from "./store-notes.ts";

export interface StoreWriterOptions {
  readonly dir: string;
  /** The oldest files are removed when all files together are larger. */
  readonly maxBytes: number;
  /** Files of days that are longer ago are removed. */
  readonly maxDays: number;
  readonly note: StoreNotes;
  /** A file that has this size is followed by another one; default 1 GiB, or an eighth of `maxBytes` if that is less. */
  readonly maxFileBytes?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** An event of an outbox. */
export interface StoreEvent extends StoreRow {
  readonly sequence: number;
}

export interface StoreReport {
  readonly files: number;
  readonly events: number;
  readonly sizeBytes: number;
  /** Removed because the store was full or they were too old, since the start. */
  readonly expiredEvents: number;
  /** Found unreadable since the start. */
  readonly damagedEvents: number;
}

const gibi = 1024 ** 3;
/** What stays free on the disk, for the outbox. */
const maxFreeBytes = 64 * 1024 * 1024;
const freeShare = 1 / 32;
/** More files that turn out to be damaged within one call are a defect of the disk. */
const maxDamagedFiles = 3;

/**
 * Writes the store's directory. One process at a time may do so. docs/store.md describes the files.
 *
 * After any error the file that is written now is closed, and opened again by the next call, so that memory agrees with it.
 */
export class StoreWriter {
  readonly #options: StoreWriterOptions;
  readonly #now: () => number;
  readonly #context: FileContext;
  readonly #closed: ClosedFiles;
  /** The file with the newest rows; it is closed after an error. */
  #newest: StoreFileName | undefined;
  #open: OpenFile | undefined;
  #position: StorePosition = { outboxId: "", sequence: 0 };
  /** No row has this number or a larger one. */
  #nextRow = 1;
  #damagedEvents = 0;
  #defects = 0;

  private constructor(options: StoreWriterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#closed = new ClosedFiles(options.dir, options.note);
    this.#context = { dir: options.dir, onDefect: (error) => this.#noteDefect(error) };
  }

  /** Reads what the directory has. @throws CannotStore */
  static open(options: StoreWriterOptions): StoreWriter {
    const writer = new StoreWriter(options);
    try {
      mkdirSync(options.dir, { recursive: true, mode: 0o700 });
      writer.#adoptFiles();
    } catch (error) {
      writer.#abandon();
      throw cannotStore(options.dir, error);
    }
    return writer;
  }

  get report(): StoreReport {
    const open = this.#open;
    return {
      files: this.#closed.count + (open ? 1 : 0),
      events: this.#closed.rows + (open ? open.nextRow - open.name.firstRow : 0),
      sizeBytes: this.#closed.sizeBytes + (open?.sizeBytes ?? 0),
      expiredEvents: this.#closed.expiredEvents,
      damagedEvents: this.#damagedEvents,
    };
  }

  /**
   * Stores events of one outbox, in ascending order of their sequence numbers, except those that are stored already. They
   * are on disk when this returns. If there is no room, the oldest files are removed.
   * @throws CannotStore
   */
  append(outboxId: string, events: readonly StoreEvent[]): void {
    let damagedFiles = 0;
    for (;;) {
      try {
        this.#store(outboxId, events);
        this.#makeRoom();
        return;
      } catch (error) {
        this.#abandon();
        if (isDamage(error) && this.#newest && damagedFiles++ < maxDamagedFiles)
          this.#moveToDamaged(this.#newest, error);
        else if (!isFull(error, this.#options.dir) || !this.#removeOldest("the disk is full"))
          throw cannotStore(this.#options.dir, error);
      }
    }
  }

  /** To be called from time to time: removes files that are too old or for which there is no room. @throws CannotStore */
  maintain(): void {
    try {
      this.#closed.forgetMissing();
      this.#closed.makePlain((name) => OpenFile.open(this.#context, name).seal());
      const isOld = this.#open && this.#isTooOld(this.#open.name.day);
      if (isOld) this.#closeOpenFile();
      this.#makeRoom();
    } catch (error) {
      this.#abandon();
      throw cannotStore(this.#options.dir, error);
    }
  }

  /** The next start continues with the same file. */
  close(): void {
    this.#open?.close();
    this.#open = undefined;
  }

  #store(outboxId: string, events: readonly StoreEvent[]): void {
    this.#openNewest();
    const { position } = this.#open ?? { position: this.#position };
    const isSame = position.outboxId === outboxId;
    const rows = isSame ? events.filter(({ sequence }) => sequence > position.sequence) : events;
    for (const run of runsOf(rows, this.#open?.name.day)) {
      const last = run.events.at(-1);
      if (!last) continue;
      const file = this.#fileFor(run.day);
      file.append(run.events, { outboxId, sequence: last.sequence });
      this.#position = file.position;
      this.#nextRow = file.nextRow;
    }
  }

  /** Opens the newest file if it is not open. Afterwards no file is open if the next row begins one. */
  #openNewest(): void {
    if (this.#open?.isRemoved) {
      this.#options.note(
        "warn",
        "somebody removed the newest file of the store or its log; another file begins",
        {
          file: this.#open.name.name,
        },
      );
      this.#abandon();
    }
    const name = this.#newest;
    if (this.#open || name === undefined) return;
    const { dir, note } = this.#options;
    if (!existsSync(join(dir, name.name)) || isUnused(dir, name)) {
      removeFile(dir, name);
      this.#newest = undefined;
      return;
    }
    try {
      this.#open = OpenFile.open(this.#context, name);
    } catch (error) {
      if (!(error instanceof NewerFile)) throw error;
      this.#leaveNewer(name, error);
      this.#newest = undefined;
      return;
    }
    this.#position = this.#open.position;
    this.#nextRow = Math.max(this.#nextRow, this.#open.nextRow);
    const { damagedRows } = this.#open;
    if (damagedRows === 0) return;
    this.#damagedEvents += damagedRows;
    note("error", "events of the store are damaged and cannot be read", {
      file: name.name,
      events: damagedRows,
    });
  }

  /** The file for rows of a day. */
  #fileFor(day: number): OpenFile {
    const file = this.#open;
    const { dir, maxBytes, maxFileBytes = Math.min(gibi, maxBytes / 8) } = this.#options;
    if (file && isFor(file.name.day, day) && file.sizeBytes < maxFileBytes) return file;
    this.#closeOpenFile();
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#newest = fileName(day, this.#nextRow);
    // Somebody may have left the log of a file that had this name.
    removeFile(dir, this.#newest);
    this.#open = OpenFile.create(this.#context, this.#newest, this.#position);
    return this.#open;
  }

  #closeOpenFile(): void {
    const file = this.#open;
    if (file === undefined) return;
    const { dir } = this.#options;
    if (file.nextRow === file.name.firstRow) {
      this.#abandon();
      removeFile(dir, file.name);
    } else {
      file.seal();
      this.#open = undefined;
      this.#closed.add(inspectClosed(dir, file.name));
    }
    this.#newest = undefined;
  }

  /** Closes the open file after an error. */
  #abandon(): void {
    try {
      this.#open?.close();
    } catch (error) {
      this.#options.note("warn", "a file of the store cannot be closed", { error: (error as Error).message });
    }
    this.#open = undefined;
  }

  #adoptFiles(): void {
    const { dir } = this.#options;
    const files = listFiles(dir);
    this.#newest = files.pop();
    for (const [i, name] of files.entries()) {
      try {
        this.#adoptClosed(name);
      } catch (error) {
        if (error instanceof NewerFile) this.#leaveNewer(name, error);
        else if (isDamage(error)) {
          const next = files[i + 1] ?? this.#newest;
          this.#moveToDamaged(name, error, next && next.firstRow - name.firstRow);
        } else throw error;
      }
    }
    // Their numbers may have been used, if no file that is read follows them.
    for (const { firstRow } of listDamagedFiles(dir))
      if (firstRow >= Math.max(this.#nextRow, this.#newest?.firstRow ?? 0))
        this.#nextRow = firstRow + maxRowsPerFile;
    try {
      this.#openNewest();
    } catch (error) {
      this.#abandon();
      if (this.#newest && isDamage(error)) this.#moveToDamaged(this.#newest, error);
      else if (!isFull(error, dir)) throw error;
    }
  }

  #adoptClosed(name: StoreFileName): void {
    const { dir } = this.#options;
    if (isUnused(dir, name)) {
      removeFile(dir, name);
      return;
    }
    if (hasLog(dir, name)) {
      const unclosed = OpenFile.open(this.#context, name);
      this.#damagedEvents += unclosed.damagedRows;
      unclosed.seal();
    }
    const file = inspectClosed(dir, name);
    this.#closed.add(file);
    this.#position = file.position;
    this.#nextRow = Math.max(this.#nextRow, name.firstRow + file.rows);
  }

  #leaveNewer(name: StoreFileName, error: NewerFile): void {
    this.#nextRow = Math.max(this.#nextRow, name.firstRow + maxRowsPerFile);
    this.#options.note("warn", `a file of the store is not used: ${error.message}`, { file: name.name });
  }

  /** @param rows how many rows the file has; undefined: what can be found out is counted */
  #moveToDamaged(name: StoreFileName, error: unknown, rows = countRows(this.#options.dir, name)): void {
    const { dir, note } = this.#options;
    const path = moveToDamaged(dir, name);
    this.#damagedEvents += rows;
    this.#nextRow = Math.max(this.#nextRow, name.firstRow + maxRowsPerFile);
    if (name === this.#newest) this.#newest = undefined;
    note("error", "a file of the store is damaged; it is moved to damaged/", {
      file: path,
      events: rows,
      error: (error as Error).message,
    });
  }

  #makeRoom(): void {
    const { dir, maxBytes } = this.#options;
    while (this.report.sizeBytes > maxBytes && this.#removeOldest("the store has its largest size"));
    const today = dayOf(this.#now());
    while (this.#isTooOld(this.#closed.oldestDay(today)) && this.#removeOldest("its day is too long ago"));
    const { total } = diskSpace(dir);
    const margin = Math.min(maxFreeBytes, total * freeShare);
    while (diskSpace(dir).free < margin && this.#removeOldest("the disk is nearly full"));
  }

  #removeOldest(why: string): boolean {
    return this.#closed.removeOldest(why);
  }

  #isTooOld(day: number): boolean {
    return dayOf(this.#now()) - day > this.#options.maxDays;
  }

  /** Only the first is logged: a source could repeat it with every event. */
  #noteDefect(error: Error): void {
    if (this.#defects++ > 0) return;
    this.#options.note("error", "BUG: an event cannot be indexed; it is stored, and found by its text only", {
      error: error.message,
    });
  }
}

interface Run {
  readonly day: number;
  readonly events: StoreEvent[];
}

/** Splits events where another file begins because of their days. @param day of the open file */
function runsOf(events: readonly StoreEvent[], day: number | undefined): Run[] {
  const runs: Run[] = [];
  let current: Run | undefined = day === undefined ? undefined : { day, events: [] };
  if (current) runs.push(current);
  for (const event of events) {
    const eventDay = dayOf(event.receivedAt);
    if (!current || !isFor(current.day, eventDay)) {
      current = { day: eventDay, events: [] };
      runs.push(current);
    }
    current.events.push(event);
  }
  return runs;
}

/**
 * Whether a row of a day belongs into a file. A clock that is set back a little does not begin another file; one that was
 * wrong by days does.
 */
function isFor(fileDay: number, day: number): boolean {
  return day === fileDay || day === fileDay - 1;
}

function cannotStore(dir: string, error: unknown): CannotStore {
  return error instanceof CannotStore
    ? error
    : new CannotStore(`cannot write to ${dir}: ${(error as Error).message}`, error);
}
