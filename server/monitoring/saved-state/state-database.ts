import { Database } from "bun:sqlite";
import { renameSync, rmSync, statSync } from "node:fs";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { createPrivateFile } from "../../private-file.ts";
import type { SavedEntry } from "./saved-entries.ts";

/*
 * The file of the dashboard's state: a SQLite database with one table. A value is JSON behind its kind and key, compressed by
 * zstd with its checksum, so that a damaged kind, key or value is noticed. The number of the format is in `user_version`. Loom
 * holds an exclusive lock on the file while it is open.
 *
 * A commit is not synced (`synchronous = NORMAL`): a crash of Loom loses nothing that is committed; a crash of the machine
 * may lose the last commits, but does not damage the file. Nothing else in Loom depends on this state.
 */

export const stateFormat = 1;
/** `application_id`: "Loom" in ASCII. */
const applicationId = 0x4c6f6f6d;
const pageBytes = 4096;
/** The WAL file is truncated when it is larger than this. Together with a commit, it is at most 2 MiB. */
const maxWalBytes = 512 * 1024;
const maxCommitBytes = 512 * 1024;
const maxValueBytes = 16 * 1024 * 1024;
/** The largest size of the database without its WAL file. Both together are below 20 MB. */
export const defaultMaxBytes = 17 * 1024 * 1024;

/** Kinds whose oldest entries are removed if the file is full: their keys are times. */
const prunable = "kind GLOB 'steps *' OR kind GLOB 'slices *'";
/** The share of the limit at which the oldest entries are removed, and the share that is left. */
const fullShare = 0.95;
const prunedShare = 0.85;

export interface Write {
  readonly kind: string;
  readonly key: string;
  /** undefined: the entry is removed. */
  readonly json: string | undefined;
}

export interface Removal {
  readonly kind: string;
  /** Entries with keys below this one are removed. */
  readonly below: string;
}

/** What became of a file that could not be used: where it is now, and why. */
export interface RenamedFile {
  readonly path: string;
  readonly reason: string;
}

export interface OpenedState {
  readonly database: StateDatabase;
  readonly entries: readonly SavedEntry[];
  /** The number of entries that are damaged and were removed. */
  readonly damagedEntries: number;
  readonly renamed: RenamedFile | undefined;
}

/**
 * Opens the file, or creates it. A file that is damaged, or of a newer format, is renamed to `<path>.damaged` or
 * `<path>.newer`, and replaces the one that was renamed before.
 * @throws Error if another process uses the file, or it cannot be written
 */
export function openStateDatabase(path: string, maxBytes = defaultMaxBytes): OpenedState {
  createPrivateFile(path);
  try {
    return { ...openFile(path, maxBytes), renamed: undefined };
  } catch (error) {
    const suffix = suffixFor(error);
    if (suffix === undefined) throw error;
    const renamed = { path: `${path}.${suffix}`, reason: (error as Error).message };
    renameSync(path, renamed.path);
    for (const end of ["-wal", "-shm"]) rmSync(path + end, { force: true });
    createPrivateFile(path);
    return { ...openFile(path, maxBytes), renamed };
  }
}

class UnusableFile extends Error {
  readonly suffix: string;

  constructor(suffix: "damaged" | "newer", message: string) {
    super(message);
    this.suffix = suffix;
  }
}

function suffixFor(error: unknown): string | undefined {
  if (error instanceof UnusableFile) return error.suffix;
  const code = String((error as { code?: unknown }).code);
  return /^SQLITE_(NOTADB|CORRUPT)/.test(code) ? "damaged" : undefined;
}

function openFile(path: string, maxBytes: number): Omit<OpenedState, "renamed"> {
  const sqlite = new Database(path);
  try {
    // Without a wait: what holds the lock is another Loom. With this lock, SQLite needs no -shm file.
    sqlite.run("PRAGMA busy_timeout = 0");
    sqlite.run("PRAGMA locking_mode = EXCLUSIVE");
    sqlite.run(`PRAGMA page_size = ${pageBytes}`);
    sqlite.run("PRAGMA journal_mode = WAL");
    sqlite.run("PRAGMA synchronous = NORMAL");
    sqlite.run("PRAGMA cache_size = -512");
    sqlite.run("PRAGMA wal_autocheckpoint = 0");
    sqlite.run(`PRAGMA max_page_count = ${Math.floor(maxBytes / pageBytes)}`);
    sqlite.run("BEGIN IMMEDIATE");
    prepareTable(sqlite);
    sqlite.run("COMMIT");
    return readAll(new StateDatabase(path, sqlite, maxBytes), sqlite);
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

/** @throws UnusableFile */
function prepareTable(sqlite: Database): void {
  const format = pragma(sqlite, "user_version");
  if (pragma(sqlite, "application_id") === applicationId) {
    if (format > stateFormat)
      throw new UnusableFile("newer", `it has format ${format}; this version of Loom has ${stateFormat}`);
    const check = sqlite.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get();
    if (check?.quick_check !== "ok")
      throw new UnusableFile("damaged", `SQLite's check: ${check?.quick_check}`);
    return;
  }
  if (pragma(sqlite, "page_count") > 1) throw new UnusableFile("damaged", "Loom did not write it");
  sqlite.run(`PRAGMA application_id = ${applicationId}`);
  sqlite.run(`PRAGMA user_version = ${stateFormat}`);
  sqlite.run(
    "CREATE TABLE entries (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, UNIQUE (kind, key))",
  );
}

function readAll(database: StateDatabase, sqlite: Database): Omit<OpenedState, "renamed"> {
  const rows = sqlite
    .query<{ kind: string; key: string; value: Uint8Array }, []>(
      "SELECT kind, key, value FROM entries ORDER BY kind, key",
    )
    .all();
  const entries: SavedEntry[] = [];
  const damaged: Write[] = [];
  for (const { kind, key, value } of rows)
    try {
      const text = zstdDecompressSync(value, { maxOutputLength: maxValueBytes }).toString();
      const head = headOf(kind, key);
      if (!text.startsWith(head)) throw new Error("it has another kind or key");
      entries.push([kind, key, text.slice(head.length)]);
    } catch {
      // Counted, and logged by the caller. The other entries are usable without this one.
      damaged.push({ kind, key, json: undefined });
    }
  if (damaged.length > 0) database.write(damaged, []);
  return { database, entries, damagedEntries: damaged.length };
}

function headOf(kind: string, key: string): string {
  return `${kind}\n${key}\n`;
}

function pragma(sqlite: Database, name: string): number {
  const row = sqlite.query<Record<string, number>, []>(`PRAGMA ${name}`).get();
  return row?.[name] ?? 0;
}

/** The open file. Its calls block until the disk has answered, so they belong on a thread of their own. */
export class StateDatabase {
  readonly #path: string;
  readonly #sqlite: Database;
  readonly #maxBytes: number;

  constructor(path: string, sqlite: Database, maxBytes: number) {
    this.#path = path;
    this.#sqlite = sqlite;
    this.#maxBytes = maxBytes;
  }

  /** Writes and removes entries, in one transaction for each 512 KiB. @throws Error; what was not committed is lost */
  write(writes: readonly Write[], removals: readonly Removal[]): void {
    const remaining = [...writes].reverse();
    this.#commit(() => {
      for (const { kind, below } of removals)
        this.#run("DELETE FROM entries WHERE kind = ? AND key < ?", kind, below);
    });
    while (remaining.length > 0) {
      if (this.#usedBytes() > this.#maxBytes * fullShare) this.#prune();
      this.#commit(() => this.#writeSome(remaining));
      if (this.#walBytes() > maxWalBytes) this.#sqlite.run("PRAGMA wal_checkpoint(TRUNCATE)");
    }
  }

  /** The number of bytes of the pages that are in use. */
  #usedBytes(): number {
    const { page_count, freelist_count } = {
      page_count: pragma(this.#sqlite, "page_count"),
      freelist_count: pragma(this.#sqlite, "freelist_count"),
    };
    return (page_count - freelist_count) * pageBytes;
  }

  close(): void {
    try {
      this.#sqlite.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      this.#sqlite.close();
    }
  }

  #writeSome(remaining: Write[]): void {
    for (let bytes = 0; bytes < maxCommitBytes; ) {
      const write = remaining.pop();
      if (!write) return;
      const { kind, key, json } = write;
      if (json === undefined) {
        this.#run("DELETE FROM entries WHERE kind = ? AND key = ?", kind, key);
        bytes += pageBytes;
        continue;
      }
      const value = zstdCompressSync(headOf(kind, key) + json, {
        params: { [constants.ZSTD_c_checksumFlag]: 1 },
      });
      this.#run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", kind, key, value);
      bytes += value.length + key.length;
    }
  }

  #commit(change: () => void): void {
    this.#sqlite.run("BEGIN IMMEDIATE");
    try {
      change();
      this.#sqlite.run("COMMIT");
    } catch (error) {
      // SQLite has ended the transaction already after some errors, such as a full disk.
      if (this.#sqlite.inTransaction) this.#sqlite.run("ROLLBACK");
      throw error;
    }
  }

  /** Removes the oldest eighth of the largest kinds, until there is room. */
  #prune(): void {
    while (this.#usedBytes() > this.#maxBytes * prunedShare) {
      const largest = this.#sqlite
        .query<{ kind: string; rows: number }, []>(
          `SELECT kind, count(*) rows FROM entries WHERE ${prunable} GROUP BY kind ORDER BY sum(length(value)) DESC LIMIT 1`,
        )
        .get();
      if (!largest) return;
      this.#commit(() =>
        this.#run(
          "DELETE FROM entries WHERE kind = ?1 AND key IN (SELECT key FROM entries WHERE kind = ?1 ORDER BY key LIMIT ?2)",
          largest.kind,
          Math.ceil(largest.rows / 8),
        ),
      );
    }
  }

  #run(sql: string, ...values: (string | number | Uint8Array)[]): void {
    this.#sqlite.query(sql).run(...values);
  }

  #walBytes(): number {
    return statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }
}
