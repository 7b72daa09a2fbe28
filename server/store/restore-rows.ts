import type { Database } from "bun:sqlite";
import { Chunk, maxRowsPerChunk, type StoreRow } from "./docs-chunk.ts";
import { DamagedFile } from "./file-meta.ts";
import { DamagedBlob } from "./packed.ts";
import type { RowObserver } from "./row-index.ts";
import { RowWriter } from "./row-writer.ts";
import { maxRowsPerFile } from "./store-file-name.ts";

interface BlobRow {
  readonly row: number;
  readonly n: number;
}

/** A file with its rows after the last segment in memory again. */
export interface RestoredRows {
  readonly writer: RowWriter;
  /** Rows that cannot be read. They stay in the file, and no segment has them. */
  readonly damagedRows: number;
}

/**
 * Reads the rows that no segment has yet. To be called within a transaction: a segment ends before rows that cannot be read.
 * @throws DamagedFile if the numbers of the rows contradict each other
 */
export function restoreRows(database: Database, firstRow: number, observer: RowObserver): RestoredRows {
  const segments = database.query<BlobRow, []>("SELECT row, n FROM seg ORDER BY row DESC LIMIT 1").get();
  const start = segments ? endOf(segments) : firstRow;
  const writer = new RowWriter(database, start, observer);
  let expected = start;
  let damagedRows = 0;
  for (const table of ["docs", "tail"] as const) {
    const blobs = database
      .query<BlobRow, [number]>(`SELECT row, n FROM ${table} WHERE row >= ? ORDER BY row`)
      .all(expected);
    for (const blob of blobs) {
      if (blob.row < expected || blob.row - expected > maxRowsPerFile || !isCount(blob.n))
        throw new DamagedFile("the numbers of its rows are wrong");
      damagedRows += blob.row - expected;
      expected = endOf(blob);
      const rows = tryReadRows(database, table, blob);
      if (rows === undefined) damagedRows += blob.n;
      else if (table === "docs") writer.restoreChunk(blob.row, rows);
      else {
        database.query("DELETE FROM tail WHERE row = ?").run(blob.row);
        writer.restoreTail(blob.row, rows);
      }
    }
  }
  writer.continueAt(expected);
  writer.append([]);
  return { writer, damagedRows };
}

function endOf({ row, n }: BlobRow): number {
  if (!Number.isSafeInteger(row + n) || row < 1 || n < 1)
    throw new DamagedFile("the numbers of its rows are wrong");
  return row + n;
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 1 && n <= maxRowsPerChunk;
}

function tryReadRows(database: Database, table: string, { row, n }: BlobRow): StoreRow[] | undefined {
  const blob = database.query<{ z: unknown }, [number]>(`SELECT z FROM ${table} WHERE row = ?`).get(row);
  try {
    if (!(blob?.z instanceof Uint8Array)) throw new DamagedBlob("it is not a blob");
    const chunk = new Chunk(blob.z);
    if (chunk.rowCount !== n) throw new DamagedBlob(`it has ${chunk.rowCount} rows instead of ${n}`);
    return Array.from({ length: n }, (_, i) => ({
      receivedAt: chunk.receivedAt(i),
      sensorId: chunk.sensorId(i),
      document: chunk.document(i),
    }));
  } catch (error) {
    if (error instanceof DamagedBlob) return undefined;
    throw error;
  }
}
