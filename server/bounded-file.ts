import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { FileWaitError, inFileTurn, maxFileWaitMs } from "./file-turns.ts";

/** A file could not be read. The message is the reason alone, such as "no such file". */
export class UnreadableFileError extends Error {
  override readonly name = "UnreadableFileError";
}

export interface FileContent {
  readonly bytes: Uint8Array;
  /** Permission bits and file type, as in `stat`. */
  readonly mode: number;
}

/** How often a pipe without bytes is read again. */
const pipePollMs = 20;

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file"],
  ["ENOTDIR", "no such file"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EISDIR", "it is a directory"],
  ["ELOOP", "too many symbolic links"],
  ["ENAMETOOLONG", "the name is too long"],
]);

/**
 * Reads a whole file of at most `maxBytes`, for the start and for reloads. It may be a pipe, as in `-config <(…)`.
 * @throws UnreadableFileError when the file is missing, cannot be read, is larger, or does not arrive within `maxWaitMs`
 */
export async function readBoundedFile(
  path: string,
  maxBytes: number,
  maxWaitMs = maxFileWaitMs,
): Promise<FileContent> {
  try {
    return await inFileTurn(path, ({ signal }) => readWhole(path, maxBytes, signal), maxWaitMs);
  } catch (error) {
    if (error instanceof UnreadableFileError) throw error;
    if (error instanceof FileWaitError) throw new UnreadableFileError(error.message, { cause: error });
    const code = codeOf(error) ?? "unknown error";
    throw new UnreadableFileError(reasons.get(code) ?? code, { cause: error });
  }
}

async function readWhole(path: string, maxBytes: number, signal: AbortSignal): Promise<FileContent> {
  // Without O_NONBLOCK, opening a named pipe that nobody writes to would block a thread until somebody does.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    return { bytes: await readUpTo(file, maxBytes, stats.isFIFO(), signal), mode: stats.mode };
  } finally {
    await file.close();
  }
}

/** Does not use the size of `stat`, because a pipe has none. */
async function readUpTo(
  file: FileHandle,
  maxBytes: number,
  isPipe: boolean,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(maxBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = await readSome(file, buffer.subarray(length));
    signal.throwIfAborted();
    length += count ?? 0;
    // A named pipe that nobody has opened for writing looks like one at its end.
    const isWaiting = count === undefined || (isPipe && length === 0);
    if (isWaiting) await sleep(pipePollMs, undefined, { signal });
    else if (count === 0) return buffer.slice(0, length);
  }
  throw new UnreadableFileError(`larger than ${maxBytes} bytes`);
}

/** Returns undefined if a pipe or a device has no bytes yet. */
async function readSome(file: FileHandle, into: Uint8Array): Promise<number | undefined> {
  try {
    return (await file.read(into, 0, into.length, null)).bytesRead;
  } catch (error) {
    if (codeOf(error) === "EAGAIN") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
