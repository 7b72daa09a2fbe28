import { Database } from "bun:sqlite";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { DamagedFile, isImported, readPosition, type StorePosition } from "./file-meta.ts";
import {
  companionSuffixes,
  maxRowsPerFile,
  type StoreFileName,
  tryParseFileName,
} from "./store-file-name.ts";

/** What a file has that is not written any more. */
export interface ClosedFile {
  readonly name: StoreFileName;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Whether an import made it: its rows may be older than those before them. */
  readonly isImported: boolean;
}

const magic = "SQLite format 3\0";
/** The version is 1 for a plain file, and 2 for one with a log. */
const writeVersionAt = 18;
const readVersionAt = 19;
export const damagedFolder = "damaged";
/** A file that was made and got no rows before Loom was killed is not larger. */
const maxUnusedBytes = 128 * 1024;

/**
 * The store's files in the order of their rows; other files are ignored. None if there is no directory.
 * @throws the error of the file system, also if this user may not know whether there is a directory
 */
export function listFiles(dir: string): StoreFileName[] {
  return namesIn(dir)
    .map(tryParseFileName)
    .filter((file) => file !== undefined)
    .toSorted((a, b) => a.firstRow - b.firstRow);
}

/** The files that were moved to damaged/, in no particular order. */
export function listDamagedFiles(dir: string): StoreFileName[] {
  const folder = join(dir, damagedFolder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => tryParseFileName(name.replace(/\.\d+$/, "")))
    .filter((file) => file !== undefined);
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Removes a file and what belongs to it. */
export function removeFile(dir: string, { name }: StoreFileName): void {
  for (const suffix of ["", ...companionSuffixes]) rmSync(join(dir, name + suffix), { force: true });
}

/** @returns where the file is now */
export function moveToDamaged(dir: string, { name }: Pick<StoreFileName, "name">): string {
  mkdirSync(join(dir, damagedFolder), { recursive: true, mode: 0o700 });
  const target = freePath(join(dir, damagedFolder, name));
  for (const suffix of ["", ...companionSuffixes])
    if (existsSync(join(dir, name + suffix))) renameSync(join(dir, name + suffix), target + suffix);
  return target;
}

/** Whether a file is not one plain file: it was not closed, or another process used it when it was. */
export function hasLog(dir: string, { name }: StoreFileName): boolean {
  const path = join(dir, name);
  return (
    companionSuffixes.some((suffix) => existsSync(path + suffix)) || readHeader(path)[writeVersionAt] === 2
  );
}

/** Reads what a plain file has. @throws DamagedFile, NewerFile, SQLiteError */
export function inspectClosed(dir: string, name: StoreFileName): ClosedFile & { position: StorePosition } {
  const path = join(dir, name.name);
  const database = new Database(path, { readonly: true });
  try {
    const position = readPosition(database);
    const last = database
      .query<{ row: number; n: number }, []>("SELECT row, n FROM docs ORDER BY row DESC LIMIT 1")
      .get();
    const rows = last ? last.row + last.n - name.firstRow : 0;
    if (!Number.isSafeInteger(rows) || rows < 0 || rows > maxRowsPerFile)
      throw new DamagedFile("the numbers of its rows are wrong");
    return { name, rows, sizeBytes: statSync(path).size, isImported: isImported(database), position };
  } finally {
    database.close();
  }
}

/**
 * Whether Loom was killed when it had made this file, so that it has nothing.
 * @throws DamagedFile if it is not a file, or not SQLite's
 */
export function isUnused(dir: string, { name }: StoreFileName): boolean {
  const path = join(dir, name);
  const status = statSync(path);
  if (!status.isFile()) throw new DamagedFile("it is not a file");
  if (status.size > 0) assertHeader(path);
  if (status.size > maxUnusedBytes || sizeOf(`${path}-wal`) > maxUnusedBytes) return false;
  if (status.size === 0) return true;
  const database = new Database(path, { create: false, readwrite: true });
  try {
    return database.query("SELECT name FROM sqlite_master LIMIT 1").get() === null;
  } catch {
    // It is damaged, which is found when it is opened.
    return false;
  } finally {
    database.close();
  }
}

/** Another version would make SQLite treat the file as one that may not be written. */
function assertHeader(path: string): void {
  const header = readHeader(path);
  const isIntact =
    header.toString("latin1", 0, magic.length) === magic &&
    [header[writeVersionAt], header[readVersionAt]].every((version) => version === 1 || version === 2);
  if (!isIntact) throw new DamagedFile("its header is damaged");
}

/** https://www.sqlite.org/fileformat.html#the_database_header */
function readHeader(path: string): Buffer {
  const header = Buffer.alloc(20);
  const descriptor = openSync(path, "r");
  try {
    readSync(descriptor, header, 0, header.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return header;
}

function freePath(path: string): string {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? path : `${path}.${i}`;
    if (!existsSync(candidate)) return candidate;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The number of rows of a file that is damaged, as far as it can be read; 0 if nothing can. */
export function countRows(dir: string, name: StoreFileName): number {
  try {
    const database = new Database(join(dir, name.name), { readonly: true });
    try {
      const ends = ["docs", "tail"].map((table) =>
        database
          .query<{ end: unknown }, []>(`SELECT row + n AS end FROM ${table} ORDER BY row DESC LIMIT 1`)
          .get(),
      );
      const rows = Math.max(...ends.map((found) => Number(found?.end ?? 0))) - name.firstRow;
      return Number.isSafeInteger(rows) && rows > 0 && rows <= maxRowsPerFile ? rows : 0;
    } finally {
      database.close();
    }
  } catch {
    // It is damaged: that is why its rows are counted in this way.
    return 0;
  }
}
