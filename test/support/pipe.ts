import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A pipe that is read only when the test says so. */
export interface Pipe extends Disposable {
  /** The descriptor of the writing end, for another process. It stays open in this process until `closeWriter`. */
  readonly writeEnd: number;
  closeWriter(): void;
  /** Reads what is in the pipe now; empty if there is nothing. */
  readAvailable(): Buffer;
  /** Closes the reading end. Later writes fail with EPIPE. */
  closeReader(): void;
}

/** With `isNonBlocking`, a write to a full pipe fails with EAGAIN. */
export function createPipe({ isNonBlocking = false } = {}): Pipe {
  const folder = mkdtempSync(join(tmpdir(), "loom-pipe-"));
  const path = join(folder, "fifo");
  const made = Bun.spawnSync(["mkfifo", path]);
  if (!made.success) throw new Error(`cannot make a FIFO: ${made.stderr}`);
  const open = new Set<number>();
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY | (isNonBlocking ? constants.O_NONBLOCK : 0));
  open.add(readEnd).add(writeEnd);
  rmSync(folder, { recursive: true });
  const close = (descriptor: number) => {
    if (open.delete(descriptor)) closeSync(descriptor);
  };
  return {
    writeEnd,
    closeWriter: () => close(writeEnd),
    readAvailable: () => Buffer.concat([...chunksOf(readEnd)]),
    closeReader: () => close(readEnd),
    [Symbol.dispose]() {
      close(writeEnd);
      close(readEnd);
    },
  };
}

function* chunksOf(readEnd: number): Generator<Buffer> {
  for (;;) {
    const chunk = Buffer.alloc(64 * 1024);
    const length = readOrNothing(readEnd, chunk);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

function readOrNothing(readEnd: number, chunk: Buffer): number {
  try {
    return readSync(readEnd, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
    throw error;
  }
}
