import { Database } from "bun:sqlite";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { columnNames, columns, columnValuesOf } from "../../server/event/columns.ts";
import { fieldsOf } from "../../server/event/event-fields.ts";
import { payloadOf } from "../../server/event/payload.ts";
import { searchTextOf } from "../../server/event/search-text.ts";
import { decodeCodes, decodeDictionary } from "../../server/store/column-codec.ts";
import { Chunk } from "../../server/store/docs-chunk.ts";
import { DamagedBlob, unpack } from "../../server/store/packed.ts";
import { tryParseFileName } from "../../server/store/store-file-name.ts";
import { hasTrigrams, trigramBytes, trigramsOf } from "../../server/store/trigrams.ts";

export interface ReadRow {
  readonly row: number;
  readonly receivedAt: number;
  readonly sensorId: string;
  readonly document: string;
}

export interface ReadStore {
  readonly rows: readonly ReadRow[];
  /** The numbers of rows in blobs that cannot be read. */
  readonly damaged: readonly number[];
  readonly files: readonly string[];
}

/** Reads every row of a store, in order, in the simplest way. */
export function readStore(dir: string): ReadStore {
  const rows: ReadRow[] = [];
  const damaged: number[] = [];
  const files = storeFiles(dir);
  for (const name of files) {
    using database = new Database(join(dir, name), { readwrite: true, create: false });
    const blobs = database
      .query<{ row: number; n: number; z: Uint8Array }, []>(
        "SELECT row, n, z FROM docs UNION ALL SELECT row, n, z FROM tail ORDER BY row",
      )
      .all();
    for (const { row, n, z } of blobs) {
      try {
        rows.push(...rowsOf(row, z));
      } catch (error) {
        if (!(error instanceof DamagedBlob)) throw error;
        damaged.push(...Array.from({ length: n }, (_, i) => row + i));
      }
    }
  }
  return { rows, damaged, files };
}

export function documentsOf(dir: string): string[] {
  return readStore(dir).rows.map(({ document }) => document);
}

/** What a store's directory has, except the file of first times. */
export function eventFiles(dir: string): string[] {
  return readdirSync(dir).filter((name) => !name.startsWith("first-seen.db"));
}

/** The names of the store's files, in the order of their rows. */
export function storeFiles(dir: string): string[] {
  return readdirSync(dir)
    .map(tryParseFileName)
    .filter((file) => file !== undefined)
    .toSorted((a, b) => a.firstRow - b.firstRow)
    .map(({ name }) => name);
}

/**
 * Compares everything that segments say of rows with the rows.
 * @returns the number of rows that segments have
 * @throws Error that names the first difference
 */
export function checkSegments(dir: string): number {
  const byNumber = new Map(readStore(dir).rows.map((row) => [row.row, row]));
  let rowCount = 0;
  for (const name of storeFiles(dir)) {
    using database = new Database(join(dir, name), { readwrite: true, create: false });
    const segments = database
      .query<{ row: number; n: number; t0: number; t1: number; times: Uint8Array }, []>("SELECT * FROM seg")
      .all();
    for (const { row, n, t0, t1, times } of segments) {
      const rows = Array.from({ length: n }, (_, i) => rowOrThrow(byNumber, row + i));
      const received = rows.map(({ receivedAt }) => receivedAt);
      const unpacked = Uint8Array.from(unpack(times, n * 8));
      same(name, "times", [...new Float64Array(unpacked.buffer)], received);
      same(name, "t0 and t1", [t0, t1], [Math.min(...received), Math.max(...received)]);
      checkColumns(database, row, rows);
      rowCount += n;
    }
    checkTrigrams(database, byNumber);
    const inColumns = database.query("SELECT count(DISTINCT seg) AS n FROM col").get();
    same(name, "segments of columns", inColumns, { n: segments.length });
  }
  return rowCount;
}

function checkColumns(database: Database, segment: number, rows: readonly ReadRow[]): void {
  const values = rows.map(({ sensorId, document }) => {
    const value: unknown = JSON.parse(document);
    return columnValuesOf(sensorId, value, fieldsOf(value), payloadOf(value));
  });
  for (const column of columnNames) {
    const blobs = database
      .query<{ dict: Uint8Array; codes: Uint8Array }, [number, string]>(
        "SELECT dict, codes FROM col WHERE seg = ? AND c = ?",
      )
      .get(segment, column);
    if (!blobs) throw new Error(`segment ${segment} has no column ${column}`);
    const dictionary = decodeDictionary(columns[column].kind, blobs.dict);
    const codes = decodeCodes(blobs.codes, rows.length, dictionary.size);
    const known = Array.from({ length: dictionary.size }, (_, code) => dictionary.values.at(code) ?? "");
    const read = Array.from(codes, (code) => known[code]);
    same(
      String(segment),
      column,
      read,
      values.map((one) => one[column]),
    );
    const counts = known.map((value) => read.filter((one) => one === value).length);
    if (dictionary.size < 100) same(String(segment), `counts of ${column}`, [...dictionary.counts], counts);
    const isAscending = known.every((value, i) => i === 0 || (known[i - 1] ?? 0) < value);
    same(String(segment), `${column} is ascending`, isAscending, true);
  }
}

function checkTrigrams(database: Database, byNumber: ReadonlyMap<number, ReadRow>): void {
  const bitmaps = database.query<{ row: number; n: number; z: Uint8Array }, []>("SELECT * FROM grams").all();
  for (const { row, n, z } of bitmaps) {
    const bits = unpack(z, trigramBytes);
    for (let i = row; i < row + n; i++) {
      const trigrams = trigramsOf(searchTextOf(JSON.parse(rowOrThrow(byNumber, i).document)));
      same(String(row), `trigrams of row ${i}`, hasTrigrams(bits, trigrams), true);
    }
  }
}

function rowsOf(row: number, blob: Uint8Array): ReadRow[] {
  const chunk = new Chunk(blob);
  return Array.from({ length: chunk.rowCount }, (_, i) => ({
    row: row + i,
    receivedAt: chunk.receivedAt(i),
    sensorId: chunk.sensorId(i),
    document: chunk.document(i).toString(),
  }));
}

function rowOrThrow(byNumber: ReadonlyMap<number, ReadRow>, row: number): ReadRow {
  const found = byNumber.get(row);
  if (!found) throw new Error(`row ${row} is missing`);
  return found;
}

function same(where: string, what: string, found: unknown, expected: unknown): void {
  if (!Bun.deepEquals(found, expected)) throw new Error(`${where}: ${what} differ from the rows`);
}
