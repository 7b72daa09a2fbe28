import { read } from "bun:ffi";
import { closeSync, openSync } from "node:fs";
import { cFunctions } from "./c-library.ts";

/** <sys/file.h>; the same on every system with flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * <asm-generic/errno.h>: the file system has no such locks, or needs a descriptor that can be written, which a directory
 * never has (NFS). EBADF, EINVAL, ENOLCK, ENOSYS, EOPNOTSUPP.
 */
const unsupported: ReadonlySet<number> = new Set([9, 22, 37, 38, 95]);

/**
 * Locks the directory itself with flock(2). Such a lock belongs to the directory's inode, so that it lasts when files in
 * the directory are deleted or the directory is renamed. The kernel releases it when the process ends.
 * @returns a function that releases it; "held" if another descriptor holds the lock; "unsupported" if the system or the
 * file system has no such locks
 * @throws ErrnoException if the directory cannot be opened
 */
export function lockDirectoryItself(dir: string): (() => void) | "held" | "unsupported" {
  const c = cFunctions({
    flock: { args: ["i32", "i32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
  if (c === undefined) return "unsupported";
  const descriptor = openSync(dir, "r");
  const isLocked = c.flock(descriptor, LOCK_EX | LOCK_NB) === 0;
  if (isLocked) return () => closeSync(descriptor);
  const errno = c.__errno_location();
  const isUnsupported = errno !== null && unsupported.has(read.i32(errno));
  closeSync(descriptor);
  return isUnsupported ? "unsupported" : "held";
}
