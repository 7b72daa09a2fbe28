import { statfsSync } from "node:fs";
import { isOutOfSpace } from "../disk-errors.ts";
import { DamagedFile } from "./file-meta.ts";

/** Rows could not be stored. None of them counts as stored, and the same call can be repeated. */
export class CannotStore extends Error {
  override readonly name = "CannotStore";
  /** Whether somebody has to fix something: permissions, a file system that is read-only. */
  readonly isBlocked: boolean;

  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.isBlocked = blocking.test(codeOf(cause));
  }
}

const blocking = /^(?:SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|EACCES|EPERM|EROFS|ENOTDIR)/;
/** SQLite reports some calls that fail for lack of space by these codes: for the shared memory and for quotas. */
const maybeFull = /^SQLITE_(?:IOERR|CANTOPEN)/;
const damage =
  /^SQLITE_(?:CORRUPT|NOTADB|FORMAT|MISMATCH|ERROR|CONSTRAINT|IOERR_(?:READ|SHORT_READ|CORRUPTFS|DATA))/;
const fullBelowBytes = 256 * 1024;

/**
 * Whether a file cannot be used because its content is damaged. The statements are always the same, so an error of one of
 * them or of a constraint is about the content too.
 */
export function isDamage(error: unknown): boolean {
  return error instanceof DamagedFile || damage.test(codeOf(error));
}

/** Whether a write to this directory failed because the disk is full. */
export function isFull(error: unknown, dir: string): boolean {
  const code = codeOf(error);
  if (code.startsWith("SQLITE_FULL") || isOutOfSpace(error)) return true;
  return maybeFull.test(code) && freeBytes(dir) < fullBelowBytes;
}

/** The bytes that this process may use on the disk; infinite if the file system does not say. */
export function freeBytes(dir: string): number {
  return diskSpace(dir).free;
}

export function diskSpace(dir: string): { readonly free: number; readonly total: number } {
  try {
    const { bavail, blocks, bsize } = statfsSync(dir);
    if (blocks > 0) return { free: bavail * bsize, total: blocks * bsize };
  } catch {
    // A directory that cannot be used is reported by the next write.
  }
  return { free: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY };
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code ?? "");
}
