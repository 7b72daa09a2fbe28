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

  /** Removes the file that `oldest` returns. @returns false if there is none */
  removeOldest(today: number, why: string): boolean {
    const oldest = this.oldest(today);
    if (oldest === undefined) return false;
    const { name, rows } = oldest.file;
    this.#remove(oldest.file);
    this.#expiredEvents += rows;
    this.#notes("info", `the oldest file of the store was removed because ${why}`, {
      file: name.name,
      events: rows,
    });
    return true;
  }

  /** Removes the files whose names have an earlier day. */
  removeBefore(day: number): void {
    for (const file of this.#files.filter(({ name }) => name.day < day)) this.#remove(file);
  }

  /**
   * The file that is to be removed next, and the day from which it counts. Of what Loom received, that is the file with the
   * first rows; if its day is after today, because the clock was wrong, it counts as old as the next one. An imported file
   * counts from its own day, because it follows files with later days.
   */
  oldest(today: number): { readonly file: ClosedFile; readonly day: number } | undefined {
    const received = this.#files.filter(({ isImported }) => !isImported);
    const [imported] = this.#files
      .filter(({ isImported }) => isImported)
      .toSorted((a, b) => a.name.day - b.name.day);
    const [first] = received;
    const day = received.map(({ name }) => name.day).find((one) => one <= today) ?? today;
    if (imported && (first === undefined || imported.name.day <= day))
      return { file: imported, day: imported.name.day };
    return first && { file: first, day };
  }

  /** Forgets files that somebody has removed. */
  forgetMissing(): void {
    const missing = this.#files.filter(({ name }) => !existsSync(join(this.#dir, name.name)));
    if (missing.length === 0) return;
    this.#files = this.#files.filter((file) => !missing.includes(file));
    for (const { name, rows } of missing)
      this.#notes("warn", "somebody removed a file of the store", { file: name.name, events: rows });
  }

  #remove(file: ClosedFile): void {
    removeFile(this.#dir, file.name);
    this.#files = this.#files.filter((other) => other !== file);
  }
}
