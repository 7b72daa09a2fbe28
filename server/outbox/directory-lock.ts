import { Database } from "bun:sqlite";
import { access, chmod, constants, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { syncDirectory } from "./sync-directory.ts";

export interface DirectoryLock {
  release(): void;
}

const advice = "create it for the user Loom runs as, or set output.outbox.dir";
/** What the codes that an operator meets mean, in words. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOTDIR: "it, or a folder above it, is a file",
  EEXIST: "it, or a folder above it, is a file",
  ENOSPC: "no space left on the disk",
  EDQUOT: "the disk quota is used up",
};

/**
 * Takes a directory for this process alone, making it (mode 0700) where it is missing.
 * The lock is SQLite's on a file `lock`: the kernel frees it when the process ends, however it ends.
 * @throws Error when another process has it, or the directory can't be written; the message says what to do.
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  try {
    const firstMade = await mkdir(dir, { recursive: true, mode: 0o700 });
    if (firstMade !== undefined) await syncParents(resolve(dir), resolve(firstMade));
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotWrite(dir, error);
  }
  const path = join(dir, "lock");
  const holderPath = join(dir, "lock.holder");
  let database: Database;
  try {
    database = lockFile(path);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "SQLITE_BUSY") throw inUse(dir, await readHolder(holderPath), error);
    if (code !== "SQLITE_NOTADB") throw cannotWrite(dir, error);
    // Somebody else's bytes: nobody can hold a lock on such a file.
    await rm(path);
    database = lockFile(path);
  }
  // Not by opening it: closing a second descriptor would free the lock.
  await chmod(path, 0o600).catch(() => {}); // It is empty; who may read it matters little.
  // Only for the other one's error message; that it can't be written must not stop the start.
  await writeFile(holderPath, `${process.pid}\n`, { mode: 0o600 }).catch(() => {});
  return { release: () => database.close() };
}

/** Makes the directories last that were made, from `first` down to `last`. */
async function syncParents(last: string, first: string): Promise<void> {
  for (let made = last; ; made = dirname(made)) {
    // A folder above may be closed to Loom's user; then its own file system keeps it or not.
    await syncDirectory(dirname(made)).catch(() => {});
    if (made === first || made === dirname(made)) return;
  }
}

function lockFile(path: string): Database {
  const database = new Database(path);
  try {
    database.run("PRAGMA busy_timeout = 0");
    // Without a journal file beside the lock.
    database.run("PRAGMA journal_mode = MEMORY");
    database.run("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

async function readHolder(path: string): Promise<string> {
  const text = await readFile(path, "latin1").catch(() => "");
  const pid = /^(\d{1,10})\n$/.exec(text)?.[1];
  return pid ? ` (process ${pid})` : "";
}

function inUse(dir: string, holder: string, cause: unknown): Error {
  return new Error(`outbox: ${dir} is in use by another Loom${holder}`, { cause });
}

function cannotWrite(dir: string, cause: unknown): Error {
  const code = String((cause as { code?: unknown }).code);
  const reason = reasons[code] ?? (cause as Error).message;
  return new Error(`outbox: cannot write to ${dir}: ${reason} (${advice})`, { cause });
}
