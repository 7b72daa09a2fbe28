import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A pipe with both ends in this process: a writer under test, and a reader that reads when it is told. */
export interface Fifo extends Disposable {
  readonly writeDescriptor: number;
  /** What is there now, without waiting. */
  read(): string;
  closeReader(): void;
}

export function createFifo({ isNonBlocking = false } = {}): Fifo {
  const directory = mkdtempSync(join(tmpdir(), "loom-fifo-"));
  const path = join(directory, "fifo");
  const made = Bun.spawnSync(["mkfifo", path]);
  if (!made.success) throw new Error(`mkfifo: ${made.stderr}`);
  const readDescriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeDescriptor = openSync(path, constants.O_WRONLY | (isNonBlocking ? constants.O_NONBLOCK : 0));
  let isReaderOpen = true;

  function read(): string {
    const chunk = Buffer.alloc(1024 * 1024);
    let text = "";
    for (;;) {
      try {
        const length = readSync(readDescriptor, chunk);
        if (length === 0) return text;
        text += chunk.toString("latin1", 0, length);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return text;
        throw error;
      }
    }
  }

  function closeReader(): void {
    if (isReaderOpen) closeSync(readDescriptor);
    isReaderOpen = false;
  }

  return {
    writeDescriptor,
    read,
    closeReader,
    [Symbol.dispose]() {
      closeReader();
      closeSync(writeDescriptor);
      rmSync(directory, { recursive: true });
    },
  };
}
