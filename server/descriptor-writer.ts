import { write } from "node:fs";

/**
 * Writes to a file descriptor without ever blocking the event loop: each write runs on a thread of Bun's pool and is
 * awaited before the next. `console.log` and `process.stdout` lose lines to a slow pipe under Bun, so nothing else
 * may write to the same descriptor.
 */
export interface DescriptorWriter {
  /**
   * Resolves when the kernel has taken the last byte. Bytes of different calls never mix and keep their order.
   * Rejects with the system's error, or with what `cancelWaiting` was given. Where a failed write had got part of
   * its bytes out, the next one begins with a newline, so that two documents never share a line.
   */
  write(bytes: Buffer): Promise<void>;
  /** Rejects every write that has not begun; one that has begun is finished. */
  cancelWaiting(reason: Error): void;
  /** Resolves once nothing is waiting or being written. */
  idle(): Promise<void>;
  /** Bytes handed in and not yet taken by the kernel. */
  readonly pendingBytes: number;
  /** Milliseconds since the kernel last took something while there was something to take; 0 when nothing waits. */
  msWithoutProgress(): number;
}

/** What is written at once to a reader not known to be fast: it shows progress at least once a slice. */
const smallSliceBytes = 256 * 1024;
/** To a reader that took the last slice quickly: each costs a trip to the pool and back, as much as copying it. */
const largeSliceBytes = 1024 * 1024;
const quickSliceMs = 20;
/** How long to wait before trying a descriptor again that somebody set to O_NONBLOCK and that is full. */
const fullRetryMs = 5;

interface Waiting {
  readonly bytes: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function createDescriptorWriter(descriptor: number): DescriptorWriter {
  let waiting: Waiting[] = [];
  let pendingBytes = 0;
  let isRunning = false;
  let isLineTorn = false;
  let lastProgressAt = 0;
  let sliceBytes = smallSliceBytes;
  let idleListeners: (() => void)[] = [];

  async function run(): Promise<void> {
    isRunning = true;
    lastProgressAt = performance.now();
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      try {
        if (isLineTorn) {
          await writeSlice(newline, 0);
          isLineTorn = false;
        }
        await writeAll(next.bytes);
        next.resolve();
      } catch (error) {
        next.reject(error as Error);
      }
      pendingBytes -= next.bytes.length;
    }
    isRunning = false;
    for (const listener of idleListeners) listener();
    idleListeners = [];
  }

  async function writeAll(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const startedAt = performance.now();
      const written = await writeSlice(bytes, at);
      at += written;
      isLineTorn = at < bytes.length;
      lastProgressAt = performance.now();
      if (lastProgressAt - startedAt > quickSliceMs) sliceBytes = smallSliceBytes;
      // Less than that may have gone into a pipe that nobody reads.
      else if (written >= smallSliceBytes) sliceBytes = largeSliceBytes;
    }
  }

  async function writeSlice(bytes: Buffer, at: number): Promise<number> {
    for (;;) {
      try {
        return await writeOnce(bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        await Bun.sleep(fullRetryMs);
      }
    }
  }

  function writeOnce(bytes: Buffer, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const length = Math.min(bytes.length - at, sliceBytes);
      write(descriptor, bytes, at, length, null, (error, written) =>
        error ? reject(error) : resolve(written),
      );
    });
  }

  return {
    write(bytes) {
      return new Promise((resolve, reject) => {
        waiting.push({ bytes, resolve, reject });
        pendingBytes += bytes.length;
        if (!isRunning) void run();
      });
    },
    cancelWaiting(reason) {
      const cancelled = waiting;
      waiting = [];
      for (const one of cancelled) {
        pendingBytes -= one.bytes.length;
        one.reject(reason);
      }
    },
    idle() {
      return isRunning ? new Promise((resolve) => idleListeners.push(resolve)) : Promise.resolve();
    },
    get pendingBytes() {
      return pendingBytes;
    },
    msWithoutProgress() {
      return isRunning ? performance.now() - lastProgressAt : 0;
    },
  };
}

const newline = Buffer.from("\n");
