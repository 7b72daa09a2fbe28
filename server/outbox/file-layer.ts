import { mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { type DirectoryLock, lockDirectory } from "./directory-lock.ts";
import { syncDirectory } from "./sync-directory.ts";

/** An open file. Calls take place in the order in which they are awaited; none changes a position of its own. */
export interface OutboxFile {
  size(): Promise<number>;
  /** @returns how many bytes were read; 0 at the end. */
  read(target: Buffer, position: number): Promise<number>;
  /** @returns how many bytes were written, which may be fewer than asked for. */
  write(source: Buffer, position: number): Promise<number>;
  truncate(sizeBytes: number): Promise<void>;
  /** Resolves when what was written is on the disk: fdatasync. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** All that the outbox asks of a file system, so that tests can have one that fails or crashes. */
export interface FileLayer {
  /** @throws Error when another process holds it, or it can't be written. */
  lockDirectory(dir: string): Promise<DirectoryLock>;
  makeDirectory(path: string): Promise<void>;
  /** Names, in no order. */
  list(path: string): Promise<readonly string[]>;
  /** "create" empties a file that is there; "update" asks for one that is there, to read and write. */
  open(path: string, mode: "create" | "read" | "update"): Promise<OutboxFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes what came and went in a directory last. */
  syncDirectory(path: string): Promise<void>;
}

const openFlags = { create: "w+", read: "r", update: "r+" } as const;

/** The machine's own files. Every call runs on a thread of the pool; none holds up the event loop. */
export const systemFiles: FileLayer = {
  lockDirectory,
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (path) => readdir(path),
  async open(path, mode) {
    const handle = await open(path, openFlags[mode], 0o600);
    return {
      size: async () => (await handle.stat()).size,
      read: async (target, position) => (await handle.read(target, 0, target.length, position)).bytesRead,
      write: async (source, position) =>
        (await handle.write(source, 0, source.length, position)).bytesWritten,
      truncate: (sizeBytes) => handle.truncate(sizeBytes),
      datasync: () => handle.datasync(),
      close: () => handle.close(),
    };
  },
  rename,
  remove: unlink,
  syncDirectory,
};

/** Writes all of it, however many calls that takes. @throws Error when one takes nothing. */
export async function writeFully(file: OutboxFile, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const count = await file.write(bytes.subarray(written), position + written);
    if (count === 0) throw new Error(`wrote ${written} of ${bytes.length} bytes, then none`);
    written += count;
  }
}

/** Fills `target` from `position` on. @returns how much of it, less than all at the end of the file. */
export async function readFully(file: OutboxFile, target: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < target.length) {
    const count = await file.read(target.subarray(length), position + length);
    if (count === 0) break;
    length += count;
  }
  return length;
}

/** The system's word for an error, "ENOSPC: no space left on device", without paths and calls. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message.replace(/,? '.*$/s, "") : String(error);
}
