import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncDirectory } from "../../sync-directory.ts";
import { UpdateError } from "./update-error.ts";

/** A file that was not written for so long was left by a process that was killed. */
const leftoverAfterMs = 3_600_000;
const defaultMode = 0o644;

/** A new file beside the one that it is to replace. Its name is not used by any other process. */
export class TemporaryFile {
  readonly path: string;
  readonly #target: string;
  readonly #file: FileHandle;

  private constructor(target: string, path: string, file: FileHandle) {
    this.#target = target;
    this.path = path;
    this.#file = file;
  }

  /** Creates the file, and removes those that killed processes left. @throws UpdateError */
  static create(target: string): Promise<TemporaryFile> {
    return writing(target, async () => {
      await removeLeftovers(target);
      const path = `${prefixOf(target)}${process.pid}-${randomBytes(6).toString("hex")}`;
      return new TemporaryFile(target, path, await open(path, "wx", defaultMode));
    });
  }

  /** Appends bytes. @throws UpdateError */
  write(bytes: Uint8Array): Promise<void> {
    return writing(this.#target, async () => {
      for (let written = 0; written < bytes.length; )
        written += (await this.#file.write(bytes, written)).bytesWritten;
    });
  }

  /** Puts the file, with the permissions of the one that is there, in the place of its target. @throws UpdateError */
  replaceTarget(): Promise<void> {
    return writing(this.#target, async () => {
      const present = await stat(this.#target).catch(() => undefined);
      if (present) await this.#file.chmod(present.mode & 0o777);
      await this.#file.sync();
      await rename(this.path, this.#target);
      await syncDirectory(dirname(this.#target));
    });
  }

  /** Closes the file, and removes it unless it has replaced its target. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.path, { force: true });
  }
}

function prefixOf(target: string): string {
  return join(dirname(target), `.${basename(target)}.download-`);
}

async function removeLeftovers(target: string): Promise<void> {
  const prefix = basename(prefixOf(target));
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(prefix)) continue;
    const path = join(dirname(target), name);
    // Another process may have removed it meanwhile.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > leftoverAfterMs) await rm(path, { force: true });
  }
}

const reasons: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "no such directory"],
  ["ENOTDIR", "no such directory"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EROFS", "the file system is read-only"],
  ["ENOSPC", "the disk is full"],
  ["EISDIR", "it is a directory"],
]);

async function writing<Result>(target: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UpdateError(`cannot write ${target}: ${reasons.get(code) ?? code ?? message}`, {
      cause: error,
    });
  }
}
