import { mkdirSync } from "node:fs";
import { isForDay, runsOf, withoutMixedDays } from "./day-runs.ts";
import type { StoreRow } from "./docs-chunk.ts";
import { FirstSeenRecorder } from "./first-seen/recorder.ts";
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
  readonly #firstSeen: FirstSeenRecorder;
  readonly #files: StoreFiles;

  private constructor(options: StoreWriterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#firstSeen = new FirstSeenRecorder({ ...options, now: this.#now });
    this.#files = new StoreFiles(options.dir, options.note, this.#firstSeen);
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
    this.#withRecovery(() => {
      this.#store(outboxId, events);
      this.#removeOld();
    });
  }

  /**
   * Stores rows that are not from an outbox. A file for them begins where the day changes; if the days are mixed, they are
   * put in order first. The rows do not change which events of an outbox count as stored.
   * @throws CannotStore; some of the rows may be stored then
   */
  appendImported(rows: readonly StoreRow[]): void {
    for (const run of runsOf(withoutMixedDays(rows), this.#files.open?.name.day)) {
      if (run.rows.length === 0) continue;
      this.#withRecovery(() => {
        this.#files.openNewest();
        const { position } = this.#files;
        this.#fileFor(run.day, true).append(run.rows, position);
      });
      // Apart, so that its failure does not repeat the rows.
      this.#try(() => this.#removeOld());
    }
  }

  /** Removes the files whose names have an earlier day, also the newest one. @throws CannotStore */
  prune(day: number): void {
    this.#try(() => {
      const { open, closed } = this.#files;
      // The file that follows has the position of the last event, which must not be lost.
      if (open && open.name.day < day) this.#files.begin(this.#today());
      closed.removeBefore(day);
    });
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
    this.#firstSeen.close();
  }

  #store(outboxId: string, events: readonly StoreEvent[]): void {
    const open = this.#files.openNewest();
    const { position } = this.#files;
    const isSame = position.outboxId === outboxId;
    const rows = isSame ? events.filter(({ sequence }) => sequence > position.sequence) : events;
    for (const run of runsOf(rows, open?.name.day)) {
      const last = run.rows.at(-1);
      if (last) this.#fileFor(run.day).append(run.rows, { outboxId, sequence: last.sequence });
    }
  }

  /** Runs an action that stores all of its rows or none. */
  #withRecovery(action: () => void): void {
    for (let damagedFiles = 0; ; ) {
      try {
        action();
        return;
      } catch (error) {
        this.#files.abandon();
        if (!this.#tryRecover(error, damagedFiles)) throw this.#failure(error);
        if (isDamage(error)) damagedFiles++;
      }
    }
  }

  /** The file for rows of a day. */
  #fileFor(day: number, isImported = false): OpenFile {
    const { maxBytes, maxFileBytes = Math.min(gibi, maxBytes / filesOfFullStore) } = this.#options;
    const { open } = this.#files;
    return open && isForDay(open.name.day, day) && open.sizeBytes < maxFileBytes
      ? open
      : this.#files.begin(day, isImported);
  }

  /** @returns whether what failed can be tried again at once */
  #tryRecover(error: unknown, damagedFiles: number): boolean {
    const { dir } = this.#options;
    try {
      if (isDamage(error)) return damagedFiles < maxDamagedFiles && this.#files.moveNewestToDamaged(error);
      if (!isFull(error, dir)) return false;
      const hasRoom = this.#files.closed.removeOldest(this.#today(), "the disk is full");
      // Its log takes up room too, and is removed if it can be copied.
      this.#firstSeen.close();
      return hasRoom;
    } catch (secondError) {
      throw this.#failure(secondError);
    }
  }

  #removeOld(): void {
    const { closed } = this.#files;
    const { dir, maxBytes } = this.#options;
    const { total } = diskSpace(dir);
    const margin = Math.min(maxMarginBytes, total * marginShare);
    for (;;) {
      const today = this.#today();
      const oldest = closed.oldest(today);
      if (oldest === undefined) return;
      if (this.report.sizeBytes > maxBytes) closed.removeOldest(today, "the store has its largest size");
      else if (this.#isTooOld(oldest.day)) closed.removeOldest(today, "its day is too long ago");
      else if (diskSpace(dir).free < margin) closed.removeOldest(today, "the disk is nearly full");
      else return;
    }
  }

  #today(): number {
    return dayOf(this.#now());
  }

  #isTooOld(day: number): boolean {
    return this.#today() - day > this.#options.maxDays;
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
