import { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { createPrivateFile } from "../../private-file.ts";
import { DamagedFile, NewerFile } from "../file-meta.ts";

/*
 * The file of first-seen.ts.
 *
 *   meta(k, v)                 format; seed, of the hashes; since, the time from which on there are records
 *   seen(c, h, first, last)    for each value its first time and the last day
 *   fresh(c, first, h, value)  the text of values that were first seen lately
 *   evicted(c, n, last, fresh)   n values were removed from `seen`, of which none was seen after the day `last`; values that
 *                              were first seen before `fresh` may lack their text
 *
 * c is the position in `firstSeenColumns`, h the lower 48 bits of xxHash64 of the value with the seed, first in seconds and last
 * in days since the epoch. Rows of `seen` have 21 bytes and fill about two thirds of their pages.
 */

export const firstSeenFileName = "first-seen.db";
const format = 1;

const tables = `
CREATE TABLE meta (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE seen (c INTEGER, h INTEGER, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (c, h)) WITHOUT ROWID;
CREATE TABLE fresh (c INTEGER, first INTEGER, h INTEGER, value NOT NULL, PRIMARY KEY (c, first, h)) WITHOUT ROWID;
CREATE TABLE evicted (c INTEGER PRIMARY KEY, n INTEGER NOT NULL, last INTEGER NOT NULL, fresh INTEGER NOT NULL);
`;

export interface FirstSeenFile {
  readonly database: Database;
  readonly seed: bigint;
  /** Seconds since the epoch. */
  readonly since: number;
}

/**
 * Opens the file, or creates it.
 * @param now seconds since the epoch
 * @throws DamagedFile, NewerFile, SQLiteError
 */
export function openFirstSeenFile(path: string, now: number): FirstSeenFile {
  createPrivateFile(path);
  const database = new Database(path, { create: false, readwrite: true, strict: true });
  try {
    database.run("PRAGMA journal_mode = WAL");
    // A batch is acknowledged after it was noted, so what was noted must not be lost.
    database.run("PRAGMA synchronous = FULL");
    database.run("PRAGMA cache_size = -2048");
    // Removing many values makes the log large, and SQLite would keep its size.
    database.run("PRAGMA journal_size_limit = 1048576");
    // 512 KiB: the log cannot be copied into the file on a full disk, and must not keep its room from the events.
    database.run("PRAGMA wal_autocheckpoint = 128");
    if (database.query("SELECT 1 FROM sqlite_schema").get() === null) create(database, now);
    return { database, ...readMeta(database) };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Runs the work in one transaction, which is undone if it throws. `Database.transaction` would keep the log after `close`. */
export function inTransaction<Result>(database: Database, work: () => Result): Result {
  database.run("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.run("COMMIT");
    return result;
  } catch (error) {
    // After some errors SQLite has undone it already.
    if (database.inTransaction) database.run("ROLLBACK");
    throw error;
  }
}

function create(database: Database, now: number): void {
  inTransaction(database, () => {
    database.run(tables);
    // Nobody can choose values that have the hashes of others without knowing the seed.
    const seed = randomBytes(8).readBigUInt64LE().toString();
    const meta = database.query("INSERT INTO meta VALUES (?, ?)");
    meta.run("format", format);
    meta.run("seed", seed);
    meta.run("since", now);
  });
}

/** @throws DamagedFile, NewerFile, SQLiteError */
export function readMeta(database: Database): Omit<FirstSeenFile, "database"> {
  const rows = database.query<{ k: string; v: unknown }, []>("SELECT k, v FROM meta").all();
  const meta = new Map(rows.map(({ k, v }) => [k, v]));
  const written = meta.get("format");
  if (typeof written === "number" && written > format) throw new NewerFile(written, format);
  const seed = meta.get("seed");
  const since = meta.get("since");
  if (written !== format || typeof seed !== "string" || !/^\d{1,20}$/.test(seed) || typeof since !== "number")
    throw new DamagedFile("it does not say which format and seed it has");
  return { seed: BigInt(seed), since };
}
