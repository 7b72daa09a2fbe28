import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "../../sync-directory.ts";
import { writeAt } from "./file.ts";

/** A file to which whole lines are appended by one writer. Each append is on disk when it resolves. */
export class AppendFile {
  /** For reading at any time. */
  readonly handle: FileHandle;
  readonly #path: string;
  /** The file may have bytes behind its last whole line: the rest of a write that failed, or that a crash interrupted. */
  #isEndTorn: boolean;
  /** A crash cannot remove the file's name from its directory. */
  #isNameSynced = false;

  private constructor(path: string, handle: FileHandle, isEndTorn: boolean) {
    this.#path = path;
    this.handle = handle;
    this.#isEndTorn = isEndTorn;
  }

  /** @returns undefined if there is no such file. @throws Error when it cannot be opened */
  static async open(path: string): Promise<AppendFile | undefined> {
    try {
      return new AppendFile(path, await open(path, "r+"), true);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new Error(`cannot open the dead-letter file ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** Creates an empty file that only its owner can read. @throws Error when there is a file with this name */
  static async create(path: string): Promise<AppendFile> {
    return new AppendFile(path, await open(path, "wx+", 0o600), false);
  }

  /** @param handle a synced file that ends with a whole line and was just renamed to `path` */
  static renamed(path: string, handle: FileHandle): AppendFile {
    return new AppendFile(path, handle, false);
  }

  /**
   * Appends lines and syncs them.
   * @param end the end of the file's last whole line, in bytes; anything behind it is cut off
   * @throws the error of the system, such as ENOSPC. The next append then cuts off what this one wrote
   */
  async append(lines: Buffer, end: number): Promise<void> {
    if (this.#isEndTorn) await this.handle.truncate(end);
    this.#isEndTorn = true;
    await writeAt(this.handle, lines, end);
    await this.handle.datasync();
    await this.syncName();
    this.#isEndTorn = false;
  }

  /** Makes sure that a crash cannot remove the file's name, or bring back the file that had the name before. */
  async syncName(): Promise<void> {
    if (this.#isNameSynced) return;
    await syncDirectory(dirname(this.#path));
    this.#isNameSynced = true;
  }

  /** Whether the name is gone, or is the name of another file: somebody removed or replaced this one. */
  async isReplaced(): Promise<boolean> {
    const named = await stat(this.#path).catch(() => undefined);
    return named?.ino !== (await this.handle.stat()).ino;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}
