import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isFileTooLarge } from "../disk-errors.ts";
import { SerialQueue } from "../serial-queue.ts";
import type { Log } from "../telemetry/log.ts";
import { errorText, type FileLayer, type OutboxFile, writeFully } from "./file-layer.ts";

export interface ReserveOptions {
  readonly dir: string;
  readonly files: FileLayer;
  readonly log: Log;
  /** 0: no reserve. */
  readonly sizeBytes: number;
}

const chunkBytes = 1024 * 1024;

/**
 * A file that only takes up room. If the disk is full and delivery needs room to continue (dead letters, a cursor, the
 * header of a new segment, which lets the old one go), the file is removed. It is made again when there is room.
 */
export class Reserve {
  readonly #options: ReserveOptions;
  readonly #path: string;
  readonly #queue = new SerialQueue();
  #wantedBytes: number;
  #heldBytes = 0;

  constructor(options: ReserveOptions) {
    this.#options = options;
    this.#path = join(options.dir, "reserve");
    this.#wantedBytes = options.sizeBytes;
  }

  /** The room that the file has to take up yet. */
  get missingBytes(): number {
    return this.#wantedBytes - this.#heldBytes;
  }

  /** Finds the file of an earlier run. */
  open(): Promise<void> {
    return this.#queue.run(async () => {
      const { files } = this.#options;
      if ((await files.identify(this.#path).catch(() => undefined)) === undefined) return;
      const size = await this.#sizeOnDisk().catch(() => 0);
      if (size === this.#wantedBytes) this.#heldBytes = size;
      // A file of another size, or one that cannot be read, is made again.
      else await files.remove(this.#path).catch(() => {});
    });
  }

  /** Gives the room back to the disk. @returns false if there is none to give */
  release(): Promise<boolean> {
    return this.#queue.run(async () => {
      if (this.#heldBytes === 0) return false;
      const { files, log } = this.#options;
      try {
        await files.remove(this.#path);
      } catch (error) {
        // Somebody has removed it: the room is free already.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
          log.warn("cannot remove the reserve", { path: this.#path, error: errorText(error) });
          return false;
        }
      }
      log.warn("the disk is full; the reserve is used so that delivery continues", {
        size_bytes: this.#heldBytes,
      });
      this.#heldBytes = 0;
      return true;
    });
  }

  /** Makes the file if it is missing. It is synced when this resolves; if there is no room, it is missing still. */
  make(): Promise<void> {
    return this.#queue.run(async () => {
      if (this.missingBytes === 0) return;
      const { files, log } = this.#options;
      try {
        const file = await files.open(this.#path, "create");
        try {
          await this.#fill(file);
        } finally {
          await file.close();
        }
        this.#heldBytes = this.#wantedBytes;
      } catch (error) {
        await files.remove(this.#path).catch(() => {}); // The first error is the cause.
        log.debug("cannot make the reserve; it is tried again", { error: errorText(error) });
      }
    });
  }

  settled(): Promise<void> {
    return this.#queue.settled();
  }

  /** With random bytes: a file system that compresses, or that keeps holes, would not hold room for zeros. */
  async #fill(file: OutboxFile): Promise<void> {
    let written = 0;
    try {
      for (; written < this.#wantedBytes; written += chunkBytes)
        await writeFully(file, randomBytes(Math.min(chunkBytes, this.#wantedBytes - written)), written);
    } catch (error) {
      // The process may write no larger files, so a smaller reserve has to do.
      if (!isFileTooLarge(error) || written === 0) throw error;
      this.#wantedBytes = written;
      await file.truncate(written);
    }
    await file.datasync();
  }

  async #sizeOnDisk(): Promise<number> {
    const file = await this.#options.files.open(this.#path, "read");
    try {
      return await file.size();
    } finally {
      await file.close();
    }
  }
}
