import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileReader } from "../search/file-reader.ts";
import { UnreadableFile } from "../search/read-only-database.ts";
import { damagedFolder, listFiles } from "../store-directory.ts";
import { companionSuffixes, type StoreFileName } from "../store-file-name.ts";

export interface FileSummary {
  readonly name: StoreFileName;
  /** undefined: they cannot be read. */
  readonly rows: number | undefined;
  /** With what SQLite keeps beside the file. */
  readonly sizeBytes: number;
}

/** The store's files in the order of their rows. Nothing is written, so that another process may write the store meanwhile. */
export function summarizeFiles(dir: string): FileSummary[] {
  return listFiles(dir)
    .map((name) => ({ name, rows: tryCountRows(dir, name), sizeBytes: sizeOf(join(dir, name.name)) }))
    .filter(({ name }) => existsSync(join(dir, name.name)));
}

/** What is in damaged/, by name. */
export function listSetAside(dir: string): { readonly name: string; readonly sizeBytes: number }[] {
  const folder = join(dir, damagedFolder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((name) => ({ name, sizeBytes: fileBytes(join(folder, name)) }));
}

function tryCountRows(dir: string, name: StoreFileName): number | undefined {
  try {
    const file = new FileReader(join(dir, name.name), name);
    try {
      return file.end() - name.firstRow;
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined;
    throw error;
  }
}

function sizeOf(path: string): number {
  return ["", ...companionSuffixes].reduce((sum, suffix) => sum + fileBytes(path + suffix), 0);
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
