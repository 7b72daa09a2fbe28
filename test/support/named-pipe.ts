import { expect } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

/** A pipe that holds the process that reads it until it is written. */
export interface NamedPipe extends Disposable {
  readonly path: string;
  /** Waits until a process reads it, and holds that process from then on. */
  reader(): Promise<void>;
  /** Writes the whole content. */
  write(content: string): void;
}

/** @param path default: a path in a new folder */
export function createNamedPipe(path?: string): NamedPipe {
  const folder = mkdtempSync(join(tmpdir(), "loom-pipe-"));
  const pipe = path ?? join(folder, "pipe");
  expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
  let writer: number | undefined;
  const close = () => {
    if (writer !== undefined) closeSync(writer);
    writer = undefined;
  };
  return {
    path: pipe,
    async reader() {
      writer = await until("the pipe is read", () => {
        try {
          return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
        } catch {
          return undefined; // No process has opened it for reading.
        }
      });
    },
    write(content) {
      if (writer === undefined) throw new Error("nobody reads the pipe");
      writeSync(writer, content);
      close();
    },
    [Symbol.dispose]() {
      close();
      rmSync(folder, { recursive: true });
      rmSync(pipe, { force: true });
    },
  };
}
