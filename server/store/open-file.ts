import { Database } from "bun:sqlite";
import { statSync } from "node:fs";
import { join } from "node:path";
import { createPrivateFile } from "../private-file.ts";
import type { StoreRow } from "./docs-chunk.ts";
import { markImported, readPosition, type StorePosition, writePosition } from "./file-meta.ts";
import { restoreRows } from "./restore-rows.ts";
import type { RowObserver } from "./row-index.ts";
import type { RowWriter } from "./row-writer.ts";
import { createTables } from "./schema.ts";
import type { StoreFileName } from "./store-file-name.ts";

/** How long a write waits for another connection, such as that of a search. */
const busyTimeoutMs = 1_000;
const cacheKib = 1_024;

export interface FileContext extends RowObserver {
  readonly dir: string;
  /** Called when rows were written, before they count as stored. */
  readonly beforeCommit: () => void;
}

/** The file that is written now. After an error of any method, the file must be abandoned, and may be opened again. */
export class OpenFile {
  readonly name: StoreFileName;
  readonly path: string;
  /** Rows that could not be read when the file was opened. */
  readonly damagedRows: number;
  readonly #database: Database;
  readonly #writer: RowWriter;
  readonly #beforeCommit: () => void;
  /** The inodes of the file and of its log, which tell whether somebody has removed them. */
  readonly #inodes: readonly [number, number];
  #position: StorePosition;

  private constructor(context: FileContext, name: StoreFileName, database: Database) {
    const path = join(context.dir, name.name);
    this.path = path;
    this.name = name;
    this.#database = database;
    this.#beforeCommit = context.beforeCommit;
    this.#position = readPosition(database);
    const { writer, damagedRows } = inTransaction(database, () =>
      restoreRows(database, name.firstRow, context),
    );
    this.#writer = writer;
    this.damagedRows = damagedRows;
    this.#inodes = [inodeOf(path), inodeOf(`${path}-wal`)];
  }

  /** Makes a file that continues after `position`. @param isMarked whether its rows are imported */
  static create(
    context: FileContext,
    name: StoreFileName,
    position: StorePosition,
    isMarked: boolean,
  ): OpenFile {
    createPrivateFile(join(context.dir, name.name));
    return openedWith(context, name, (database) => {
      createTables(database);
      writePosition(database, position);
      if (isMarked) markImported(database);
      // A log that is damaged then never has the tables, without which the file would look like one that was never used.
      checkpoint(database);
      return new OpenFile(context, name, database);
    });
  }

  /** @throws DamagedFile, NewerFile, SQLiteError */
  static open(context: FileContext, name: StoreFileName): OpenFile {
    return openedWith(context, name, (database) => {
      // Before anything is written.
      readPosition(database);
      database.run("PRAGMA journal_mode = WAL");
      return new OpenFile(context, name, database);
    });
  }

  get nextRow(): number {
    return this.#writer.nextRow;
  }

  /** The last event that is stored in this file or an earlier one. */
  get position(): StorePosition {
    return this.#position;
  }

  /** Whether somebody has removed or replaced the file or its log, so that what is written would be lost. */
  get isRemoved(): boolean {
    const [file, log] = this.#inodes;
    return inodeOf(this.path) !== file || inodeOf(`${this.path}-wal`) !== log;
  }

  get sizeBytes(): number {
    return sizeOf(this.path) + sizeOf(`${this.path}-wal`);
  }

  /** Stores rows in one transaction, with the position of the last of them. They are on disk when this returns. */
  append(rows: readonly StoreRow[], position: StorePosition): void {
    inTransaction(this.#database, () => {
      // A worker that was ended may have completed its last transaction after this one had read the file.
      if (!Bun.deepEquals(readPosition(this.#database), this.#position))
        throw new Error("another connection has written to it");
      this.#writer.append(rows);
      writePosition(this.#database, position);
      this.#beforeCommit();
    });
    this.#position = position;
  }

  /**
   * Indexes the last rows and closes the file, which is one plain file then.
   * @returns false if another connection uses the file, so that it has a log still
   */
  seal(): boolean {
    inTransaction(this.#database, () => this.#writer.end());
    const isPlain = tryMakePlain(this.#database);
    this.#database.close();
    return isPlain;
  }

  /** Copies the log into the file and closes it. */
  close(): void {
    this.#database.close();
  }
}

/** @returns false if another connection uses the file */
function tryMakePlain(database: Database): boolean {
  try {
    checkpoint(database);
    database.run("PRAGMA journal_mode = DELETE");
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === "SQLITE_BUSY" || code === "SQLITE_LOCKED";
}

function checkpoint(database: Database): void {
  database.query("PRAGMA wal_checkpoint(TRUNCATE)").get();
}

function openedWith(
  { dir }: FileContext,
  { name }: StoreFileName,
  open: (database: Database) => OpenFile,
): OpenFile {
  const database = new Database(join(dir, name), { create: false, readwrite: true });
  try {
    database.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    database.run(`PRAGMA cache_size = -${cacheKib}`);
    database.run("PRAGMA synchronous = FULL");
    return open(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** After an error the file is closed, which undoes the transaction: SQLite may have undone it already, and refuses then. */
function inTransaction<T>(database: Database, run: () => T): T {
  database.run("BEGIN IMMEDIATE");
  const result = run();
  database.run("COMMIT");
  return result;
}

/** 0: there is none. */
function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
