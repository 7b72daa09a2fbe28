import { mkdirSync } from "node:fs";
import type { StoreRow } from "./docs-chunk.ts";
import type { OpenFile } from "./open-file.ts";
import { CannotStore, diskSpace, isDamage, isFull } from "./store-errors.ts";
import { dayOf } from "./store-file-name.ts";
import { StoreFiles } from "./store-files.ts";
import type { StoreNotes } from "./store-notes.ts";

export interface StoreWriterOptions {
  readonly dir: string;
  /** The oldest files are removed when all files together are larger. */
  readonly maxBytes: number;
  /** Files of days that are longer ago are removed. */
  readonly maxDays: number;
  readonly note: StoreNotes;
  /** A file of this size is followed by another one; default 1 GiB, or an eighth of `maxBytes` if that is less. */
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

export const noReport: StoreReport = {
  files: 0,
  events: 0,
  sizeBytes: 0,
  expiredEvents: 0,
  damagedEvents: 0,
};

const gibi = 1024 ** 3;
const filesOfFullStore = 8;
/** What stays free on the disk, for the outbox. */
const maxMarginBytes = 64 * 1024 * 1024;
const marginShare = 1 / 32;
/** If more files turn out to be damaged within one call, the disk cannot be used. */
const maxDamagedFiles = 3;

/** Writes the store's directory, which docs/store.md describes. One process at a time may do so. */
export class StoreWriter {
  readonly #options: StoreWriterOptions;
  readonly #now: () => number;
  readonly #files: StoreFiles;

  private constructor(options: StoreWriterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#files = new StoreFiles(options.dir, options.note);
  }

  /** Reads what the directory has, and creates it if it is missing. @throws CannotStore */
  static open(options: StoreWriterOptions): StoreWriter {
    const writer = new StoreWriter(options);
    writer.#try(() => {
      mkdirSync(options.dir, { recursive: true, mode: 0o700 });
      writer.#files.adopt();
    });
    return writer;
  }

  get report(): StoreReport {
    const { open, closed, damagedEvents } = this.#files;
    return {
      files: closed.count + (open ? 1 : 0),
      events: closed.rows + (open ? open.nextRow - open.name.firstRow : 0),
      sizeBytes: closed.sizeBytes + (open?.sizeBytes ?? 0),
      expiredEvents: closed.expiredEvents,
      damagedEvents,
    };
  }

  /**
   * Stores events of one outbox, in ascending order of their sequence numbers, except those that are stored already. They
   * are on disk when this returns. If there is no room, the oldest files are removed.
   * @throws CannotStore
   */
  append(outboxId: string, events: readonly StoreEvent[]): void {
    for (let damagedFiles = 0; ; ) {
      try {
        this.#store(outboxId, events);
        this.#removeOld();
        return;
      } catch (error) {
        this.#files.abandon();
        if (!this.#tryRecover(error, damagedFiles)) throw this.#failure(error);
        if (isDamage(error)) damagedFiles++;
      }
    }
  }

  /** To be called from time to time: removes files that are too old or for which there is no room. @throws CannotStore */
  maintain(): void {
    this.#try(() => {
      const { open, closed } = this.#files;
      closed.forgetMissing();
      if (open && this.#isTooOld(open.name.day)) this.#files.closeNewest();
      this.#removeOld();
      this.#files.makePlain();
    });
  }

  /** The next start continues with the same file. */
  close(): void {
    this.#files.abandon();
  }

  #store(outboxId: string, events: readonly StoreEvent[]): void {
    const open = this.#files.openNewest();
    const { position } = this.#files;
    const isSame = position.outboxId === outboxId;
    const rows = isSame ? events.filter(({ sequence }) => sequence > position.sequence) : events;
    for (const run of runsOf(rows, open?.name.day)) {
      const last = run.events.at(-1);
      if (last) this.#fileFor(run.day).append(run.events, { outboxId, sequence: last.sequence });
    }
  }

  /** The file for rows of a day. */
  #fileFor(day: number): OpenFile {
    const { maxBytes, maxFileBytes = Math.min(gibi, maxBytes / filesOfFullStore) } = this.#options;
    const { open } = this.#files;
    return open && isFor(open.name.day, day) && open.sizeBytes < maxFileBytes ? open : this.#files.begin(day);
  }

  /** @returns whether what failed can be tried again at once */
  #tryRecover(error: unknown, damagedFiles: number): boolean {
    const { dir } = this.#options;
    try {
      if (isDamage(error)) return damagedFiles < maxDamagedFiles && this.#files.moveNewestToDamaged(error);
      return isFull(error, dir) && this.#files.closed.removeOldest("the disk is full");
    } catch (secondError) {
      throw this.#failure(secondError);
    }
  }

  #removeOld(): void {
    const { closed } = this.#files;
    const { dir, maxBytes } = this.#options;
    const { total } = diskSpace(dir);
    const margin = Math.min(maxMarginBytes, total * marginShare);
    const today = dayOf(this.#now());
    while (closed.count > 0) {
      if (this.report.sizeBytes > maxBytes) closed.removeOldest("the store has its largest size");
      else if (this.#isTooOld(closed.oldestDay(today))) closed.removeOldest("its day is too long ago");
      else if (diskSpace(dir).free < margin) closed.removeOldest("the disk is nearly full");
      else return;
    }
  }

  #isTooOld(day: number): boolean {
    return dayOf(this.#now()) - day > this.#options.maxDays;
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#files.abandon();
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): CannotStore {
    const { dir } = this.#options;
    return new CannotStore(`cannot write to ${dir}: ${(error as Error).message}`, error);
  }
}

interface Run {
  readonly day: number;
  readonly events: StoreEvent[];
}

/** Splits events where another file begins because of their days. @param openDay the day of the open file */
function runsOf(events: readonly StoreEvent[], openDay: number | undefined): Run[] {
  const runs: Run[] = [];
  let run: Run | undefined = openDay === undefined ? undefined : { day: openDay, events: [] };
  if (run) runs.push(run);
  for (const event of events) {
    const day = dayOf(event.receivedAt);
    if (!run || !isFor(run.day, day)) {
      run = { day, events: [] };
      runs.push(run);
    }
    run.events.push(event);
  }
  return runs;
}

/**
 * Whether rows of a day belong into a file. A clock that is set back a little does not begin another file; one that was
 * wrong by days does.
 */
function isFor(fileDay: number, day: number): boolean {
  return day === fileDay || day === fileDay - 1;
}
