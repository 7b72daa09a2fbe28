import type { Stats } from "node:fs";
import { mkdir, open, readdir, rename, stat, statfs, unlink } from "node:fs/promises";
import { type DirectoryLock, lockDirectory } from "../directory-lock.ts";
import { syncDirectory } from "../sync-directory.ts";

/** An open file. It has no position of its own: each read and write says where. */
export interface OutboxFile {
  size(): Promise<number>;
  /** As `FileLayer.identify`, whatever name the file has now, if any. */
  identify(): Promise<string>;
  /** @returns the number of bytes read; 0 at the end */
  read(target: Buffer, position: number): Promise<number>;
  /** @returns the number of bytes written, which may be less than all */
  write(source: Buffer, position: number): Promise<number>;
  truncate(sizeBytes: number): Promise<void>;
  /** Resolves when everything that was written is on the disk (fdatasync). */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** Every call that the outbox makes to a file system, so that tests can use one that fails or crashes. */
export interface FileLayer {
  /** @throws Error if another process holds the lock, or the directory cannot be written. */
  lockDirectory(dir: string): Promise<DirectoryLock>;
  makeDirectory(path: string): Promise<void>;
  /** The device and inode of the file or directory with this name; undefined if there is none. */
  identify(path: string): Promise<string | undefined>;
  /** The room of the file system with this directory: what Loom's user may still use, and all of it. */
  space(dir: string): Promise<{ readonly availableBytes: number; readonly totalBytes: number }>;
  /** The names of the entries, in any order. */
  list(path: string): Promise<readonly string[]>;
  /** "create" truncates an existing file. "update" opens an existing file to read and write. */
  open(path: string, mode: "create" | "read" | "update"): Promise<OutboxFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Resolves when the directory's created, renamed and removed entries are on the disk. */
  syncDirectory(path: string): Promise<void>;
}

const openFlags = { create: "w+", read: "r", update: "r+" } as const;

/** The real file system. Every call except `lockDirectory` runs on a thread of the pool and does not block the event loop. */
export const systemFiles: FileLayer = {
  lockDirectory: (dir) => lockDirectory(dir, { name: "outbox", key: "output.outbox.dir" }),
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  async identify(path) {
    try {
      return identityOf(await stat(path));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
  },
  async space(dir) {
    const { bavail, blocks, bsize } = await statfs(dir);
    return { availableBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
  list: (path) => readdir(path),
  async open(path, mode) {
    const handle = await open(path, openFlags[mode], 0o600);
    return {
      size: async () => (await handle.stat()).size,
      identify: async () => identityOf(await handle.stat()),
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

function identityOf({ dev, ino }: Pick<Stats, "dev" | "ino">): string {
  return `${dev}:${ino}`;
}

/** Writes all bytes, in as many calls as that takes. @throws Error if a call writes nothing. */
export async function writeFully(file: OutboxFile, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const count = await file.write(bytes.subarray(written), position + written);
    if (count === 0) throw new Error(`wrote only ${written} of ${bytes.length} bytes`);
    written += count;
  }
}

/** Fills `target` with the bytes from `position` on. @returns the number of bytes, less than all at the end of the file */
export async function readFully(file: OutboxFile, target: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < target.length) {
    const count = await file.read(target.subarray(length), position + length);
    if (count === 0) break;
    length += count;
  }
  return length;
}

/** The message of a system error without its call and path: "ENOSPC: no space left on device". */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message.replace(/,? '.*$/s, "") : String(error);
}

/** Whether a call failed because there is no file of this name. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
