import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A pipe whose reading end is read when the test says so, and not before. */
export interface Pipe extends Disposable {
  /** For the process that writes; it stays open here until `closeWriter`. */
  readonly writeEnd: number;
  closeWriter(): void;
  /** What lies in the pipe now: empty when there is nothing. */
  readAvailable(): Buffer;
  /** Whoever writes then gets EPIPE. */
  closeReader(): void;
}

/** `isNonBlocking`: a writing end that answers EAGAIN when the pipe is full. */
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
