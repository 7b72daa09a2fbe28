import { Database } from "bun:sqlite";
import { access, chmod, constants, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { lockDirectoryItself } from "./directory-flock.ts";
import { syncDirectory } from "./sync-directory.ts";

export interface DirectoryLock {
  release(): void;
}

/** Whose directory it is, for messages. */
export interface DirectoryOwner {
  /** "outbox" */
  readonly name: string;
  /** The configuration key that names the directory. */
  readonly key: string;
}

/** Another process holds the lock. */
export class DirectoryInUse extends Error {
  override readonly name = "DirectoryInUse";
}

/** The error codes that operators meet, in words. */
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
 * Locks a directory for this process, and creates it (mode 0700) if it is missing. The kernel releases the lock when the
 * process ends, in whatever way. There are two locks: one on the directory itself, which lasts when somebody deletes the
 * files in it, and one that SQLite holds on a file named `lock`, for file systems that cannot lock a directory.
 * @throws DirectoryInUse; Error if the directory cannot be written; the message says what to do.
 */
export async function lockDirectory(dir: string, owner: DirectoryOwner): Promise<DirectoryLock> {
  let unlockDirectory: ReturnType<typeof lockDirectoryItself>;
  try {
    const firstCreated = await mkdir(dir, { recursive: true, mode: 0o700 });
    if (firstCreated !== undefined) await syncParents(resolve(dir), resolve(firstCreated));
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    unlockDirectory = lockDirectoryItself(dir);
  } catch (error) {
    throw cannotWrite(dir, owner, error);
  }
  if (unlockDirectory === "held") throw await inUse(dir, owner);
  const unlock = unlockDirectory === "unsupported" ? () => {} : unlockDirectory;
  try {
    const database = await lockFileIn(dir, owner);
    return {
      release() {
        database.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Locks the file `lock`, and writes this process's id beside it. */
async function lockFileIn(dir: string, owner: DirectoryOwner): Promise<Database> {
  const path = join(dir, "lock");
  let database: Database;
  try {
    database = lockFile(path);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "SQLITE_BUSY") throw await inUse(dir, owner, error);
    if (code !== "SQLITE_NOTADB") throw cannotWrite(dir, owner, error);
    // The file is not SQLite's, so no process can hold a lock on it.
    await rm(path);
    database = lockFile(path);
  }
  // By its path: opening and closing the file in this process would release the lock.
  await chmod(path, 0o600).catch(() => {}); // The file is empty, so its mode hardly matters.
  // Only for the error message of another process, so a failure must not prevent the start.
  await writeFile(holderPathIn(dir), `${process.pid}\n`, { mode: 0o600 }).catch(() => {});
  return database;
}

function holderPathIn(dir: string): string {
  return join(dir, "lock.holder");
}

/** Syncs the entries of the directories that were created, from `first` down to `last`. */
async function syncParents(last: string, first: string): Promise<void> {
  for (let created = last; ; created = dirname(created)) {
    // Loom's user may not be allowed to open a directory above; then its entry is not synced.
    await syncDirectory(dirname(created)).catch(() => {});
    if (created === first || created === dirname(created)) return;
  }
}

function lockFile(path: string): Database {
  const database = new Database(path);
  try {
    database.run("PRAGMA busy_timeout = 0");
    // This avoids a journal file beside the lock.
    database.run("PRAGMA journal_mode = MEMORY");
    database.run("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Names the process that holds the lock, if it wrote its id. */
async function inUse(dir: string, { name }: DirectoryOwner, cause?: unknown): Promise<DirectoryInUse> {
  const text = await readFile(holderPathIn(dir), "latin1").catch(() => "");
  const pid = /^(\d{1,10})\n$/.exec(text)?.[1];
  const holder = pid ? ` (process ${pid})` : "";
  return new DirectoryInUse(`${name}: ${dir} is in use by another Loom${holder}`, { cause });
}

function cannotWrite(dir: string, { name, key }: DirectoryOwner, cause: unknown): Error {
  const code = String((cause as { code?: unknown }).code);
  const reason = reasons[code] ?? (cause as Error).message;
  return new Error(
    `${name}: cannot write to ${dir}: ${reason} (create it for the user Loom runs as, or set ${key})`,
    { cause },
  );
}
