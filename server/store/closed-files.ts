import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ClosedFile, removeFile } from "./store-directory.ts";
import type { StoreFileName } from "./store-file-name.ts";
import type { StoreNotes } from "./store-notes.ts";

/** The files that are not written any more, in the order of their rows. */
export class ClosedFiles {
  readonly #dir: string;
  readonly #notes: StoreNotes;
  #files: ClosedFile[] = [];
  #expiredEvents = 0;

  constructor(dir: string, notes: StoreNotes) {
    this.#dir = dir;
    this.#notes = notes;
  }

  get count(): number {
    return this.#files.length;
  }

  get names(): readonly StoreFileName[] {
    return this.#files.map(({ name }) => name);
  }

  get rows(): number {
    return this.#files.reduce((sum, { rows }) => sum + rows, 0);
  }

  get sizeBytes(): number {
    return this.#files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Rows of files that were removed to make room or because they were too old, since the start. */
  get expiredEvents(): number {
    return this.#expiredEvents;
  }

  /** @param file has later rows than all others */
  add(file: ClosedFile): void {
    this.#files.push(file);
  }

  /** @returns false if there is none */
  removeOldest(why: string): boolean {
    const oldest = this.#files[0];
    if (oldest === undefined) return false;
    removeFile(this.#dir, oldest.name);
    this.#files.shift();
    this.#expiredEvents += oldest.rows;
    this.#notes("info", `the oldest file of the store was removed because ${why}`, {
      file: oldest.name.name,
      events: oldest.rows,
    });
    return true;
  }

  /**
   * The day of the oldest file, not after today: the clock may have been wrong when it was written. Such a file counts as
   * old as the next one.
   */
  oldestDay(today: number): number {
    return this.#files.map(({ name }) => name.day).find((day) => day <= today) ?? today;
  }

  /** Forgets files that somebody has removed. */
  forgetMissing(): void {
    const missing = this.#files.filter(({ name }) => !existsSync(join(this.#dir, name.name)));
    if (missing.length === 0) return;
    this.#files = this.#files.filter((file) => !missing.includes(file));
    for (const { name, rows } of missing)
      this.#notes("warn", "somebody removed a file of the store", { file: name.name, events: rows });
  }
}
