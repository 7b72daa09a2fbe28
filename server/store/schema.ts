import type { Database } from "bun:sqlite";

/*
 * A file of the store is a SQLite database with the rows of one day of receipt. docs/store.md describes it.
 */

/** Version of the format; a file with a larger one is from a newer Loom. */
export const storeFormat = 1;

/** A bitmap of trigrams covers this many rows. */
export const rowsPerTrigrams = 2_048;

/**
 * All rows are numbered by the store, from 1, without gaps, over all files. The key `row` of each table is the number of the
 * first row of what the blob has, and `n` how many rows.
 */
const tables = `
CREATE TABLE meta (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE docs (row INTEGER PRIMARY KEY, n INTEGER NOT NULL, z BLOB NOT NULL);
CREATE TABLE tail (row INTEGER PRIMARY KEY, n INTEGER NOT NULL, z BLOB NOT NULL);
CREATE TABLE seg (row INTEGER PRIMARY KEY, n INTEGER NOT NULL, t0 REAL NOT NULL, t1 REAL NOT NULL, times BLOB NOT NULL);
CREATE TABLE col (seg INTEGER NOT NULL, c TEXT NOT NULL, dict BLOB NOT NULL, codes BLOB NOT NULL);
CREATE UNIQUE INDEX col_c_seg ON col (c, seg);
CREATE TABLE grams (row INTEGER PRIMARY KEY, n INTEGER NOT NULL, z BLOB NOT NULL);
`;

/** Prepares a new, empty file. */
export function createTables(file: Database): void {
  file.run("PRAGMA page_size = 8192");
  file.run("PRAGMA journal_mode = WAL");
  file.run("PRAGMA synchronous = FULL");
  file.transaction(() => {
    file.run(tables);
    file.run("INSERT INTO meta VALUES ('format', ?)", [storeFormat]);
  })();
}
