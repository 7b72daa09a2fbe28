import { write } from "node:fs";

/**
 * Writes to a file descriptor without blocking the event loop: each write runs on a thread of Bun's pool and ends
 * before the next one begins. `console.log` and `process.stdout` lose lines to a slow pipe under Bun, so nothing else
 * may write to the same descriptor.
 */
export interface DescriptorWriter {
  /**
   * Resolves when the kernel has taken the last byte. Bytes of different calls never mix, and they keep their order.
   * Rejects with the system's error, or with the reason given to `cancelWaiting`. If a failed write has written a part
   * of its bytes, the next write begins with a newline, so that two documents never share a line.
   */
  write(bytes: Buffer): Promise<void>;
  /** Rejects every write that has not begun. A write that has begun is finished. */
  cancelWaiting(reason: Error): void;
  /** Resolves when nothing is waiting or being written. */
  idle(): Promise<void>;
  /** The number of bytes that were passed to `write` and that the kernel has not taken yet. */
  readonly pendingBytes: number;
  /** Milliseconds since the kernel last took bytes; 0 if there is nothing to write. */
  msWithoutProgress(): number;
}

/** Bytes per system call for a reader not known to be fast: each slice that it takes shows progress. */
const smallSliceBytes = 256 * 1024;
/** For a reader that took the last slice quickly: each call costs a round trip to the pool, as much as the copying. */
const largeSliceBytes = 1024 * 1024;
const quickSliceMs = 20;
/** The pause before another attempt to write to a full descriptor that is in non-blocking mode (O_NONBLOCK). */
const fullRetryMs = 5;
const newline = Buffer.from("\n");

interface WaitingWrite {
  readonly bytes: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function createDescriptorWriter(descriptor: number): DescriptorWriter {
  return new QueuedWriter(descriptor);
}

class QueuedWriter implements DescriptorWriter {
  readonly #descriptor: number;
  #waiting: WaitingWrite[] = [];
  #pendingBytes = 0;
  #isRunning = false;
  /** A failed write has written a part of its bytes. */
  #isLineTorn = false;
  /** By the monotonic clock. */
  #lastProgressAt = 0;
  #sliceBytes = smallSliceBytes;
  #idleListeners: (() => void)[] = [];

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
      this.#pendingBytes += bytes.length;
      if (!this.#isRunning) void this.#run();
    });
  }

  cancelWaiting(reason: Error): void {
    const cancelled = this.#waiting;
    this.#waiting = [];
    for (const one of cancelled) {
      this.#pendingBytes -= one.bytes.length;
      one.reject(reason);
    }
  }

  idle(): Promise<void> {
    return this.#isRunning ? new Promise((resolve) => this.#idleListeners.push(resolve)) : Promise.resolve();
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  msWithoutProgress(): number {
    return this.#isRunning ? performance.now() - this.#lastProgressAt : 0;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#lastProgressAt = performance.now();
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      try {
        await this.#endTornLine();
        await this.#writeAll(next.bytes);
        next.resolve();
      } catch (error) {
        next.reject(error as Error);
      }
      this.#pendingBytes -= next.bytes.length;
    }
    this.#isRunning = false;
    for (const listener of this.#idleListeners) listener();
    this.#idleListeners = [];
  }

  async #endTornLine(): Promise<void> {
    if (!this.#isLineTorn) return;
    await this.#writeSlice(newline, 0);
    this.#isLineTorn = false;
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const startedAt = performance.now();
      const written = await this.#writeSlice(bytes, at);
      at += written;
      this.#isLineTorn = at < bytes.length;
      this.#lastProgressAt = performance.now();
      if (this.#lastProgressAt - startedAt > quickSliceMs) this.#sliceBytes = smallSliceBytes;
      // A smaller write does not show that the reader is fast: a pipe takes it even if nothing reads the pipe.
      else if (written >= smallSliceBytes) this.#sliceBytes = largeSliceBytes;
    }
  }

  /** @returns the number of bytes written */
  async #writeSlice(bytes: Buffer, at: number): Promise<number> {
    for (;;) {
      try {
        return await this.#writeOnce(bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        await Bun.sleep(fullRetryMs);
      }
    }
  }

  #writeOnce(bytes: Buffer, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const length = Math.min(bytes.length - at, this.#sliceBytes);
      write(this.#descriptor, bytes, at, length, null, (error, written) =>
        error ? reject(error) : resolve(written),
      );
    });
  }
}
