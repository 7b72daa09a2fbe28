import { statSync } from "node:fs";
import { join } from "node:path";
import { moveToDamaged } from "../store-directory.ts";
import { diskSpace, isDamage } from "../store-errors.ts";
import type { StoreNotes } from "../store-notes.ts";
import { firstSeenFileName } from "./file.ts";
import { FirstSeen, type FirstSeenValues } from "./first-seen.ts";
import { limitsForSpace } from "./limits.ts";

/** More events wait in memory only while the file cannot be written. */
const maxWaiting = 10_000;

export interface FirstSeenRecorderOptions {
  readonly dir: string;
  readonly note: StoreNotes;
  /** The largest size of the store. */
  readonly maxBytes: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Noted {
  readonly receivedAt: number;
  readonly values: FirstSeenValues;
}

/**
 * Notes the values of a store's events in its file of first times. A failure never keeps an event from being stored: a file
 * that is damaged is moved to damaged/ and begun again; while the file cannot be written, events wait in memory, and the oldest
 * are dropped when there are too many.
 */
export class FirstSeenRecorder {
  readonly #options: FirstSeenRecorderOptions;
  #file: FirstSeen | undefined;
  #inode = 0;
  /** What is not in the file yet. */
  #waiting: Noted[] = [];
  #droppedEvents = 0;
  /** Since the last flush that succeeded. */
  #hasFailed = false;

  constructor(options: FirstSeenRecorderOptions) {
    this.#options = options;
  }

  /** Notes an event in memory, until the next flush. @param receivedAt milliseconds since the epoch */
  add(receivedAt: number, values: FirstSeenValues): void {
    this.#waiting.push({ receivedAt, values });
  }

  /** Writes what was noted. It is on disk when this returns, unless the file cannot be written, which is logged. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    try {
      this.#tryFlush();
      this.#succeeded();
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  /** Copies the log into the file and removes it. The next flush opens the file again. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    try {
      file?.close();
    } catch (error) {
      this.#options.note("warn", "the file of first times cannot be closed", {
        error: (error as Error).message,
      });
    }
  }

  /** A damaged file is replaced once; a second error is about the disk. */
  #tryFlush(): void {
    try {
      this.#write();
    } catch (error) {
      this.close();
      if (!isDamage(error)) throw error;
      const path = moveToDamaged(this.#options.dir, { name: firstSeenFileName });
      this.#options.note(
        "error",
        "the file of first times is damaged; it is moved to damaged/ and begun again",
        {
          file: path,
          error: (error as Error).message,
        },
      );
      this.#write();
    }
  }

  #write(): void {
    const { dir, maxBytes, now } = this.#options;
    const path = join(dir, firstSeenFileName);
    if (this.#file && inodeOf(path) !== this.#inode) {
      this.#options.note("warn", "somebody removed the file of first times; it is begun again", {
        file: path,
      });
      this.close();
    }
    this.#file ??= new FirstSeen(path, limitsForSpace(Math.min(maxBytes, diskSpace(dir).total)), now);
    this.#inode = inodeOf(path);
    for (const { receivedAt, values } of this.#waiting) this.#file.note(receivedAt, values);
    this.#file.flush();
  }

  #succeeded(): void {
    this.#waiting = [];
    if (!this.#hasFailed) return;
    this.#options.note("info", "first times are noted again", { droppedEvents: this.#droppedEvents });
    this.#hasFailed = false;
    this.#droppedEvents = 0;
  }

  /** Only the first failure is logged, because each delivery has the same one. */
  #failed(error: Error): void {
    this.close();
    const excess = Math.max(0, this.#waiting.length - maxWaiting);
    this.#waiting.splice(0, excess);
    this.#droppedEvents += excess;
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.note(
      "error",
      "first times cannot be noted; the events are stored, and the next delivery retries",
      {
        error: error.message,
      },
    );
  }
}

/** 0: there is no file. */
function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}
