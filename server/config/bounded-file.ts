import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** A file could not be read. The message is the reason alone, such as "no such file". */
export class UnreadableFileError extends Error {
  override readonly name = "UnreadableFileError";
}

export interface FileContent {
  readonly bytes: Uint8Array;
  /** Permission bits and file type, as in `stat`. */
  readonly mode: number;
}

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
 * Reads a whole file of at most `maxBytes` synchronously, for the start and for reloads.
 * @throws UnreadableFileError when the file is missing, cannot be read, or is larger
 */
export function readBoundedFile(path: string, maxBytes: number): FileContent {
  try {
    const file = openSync(path, "r");
    try {
      return { bytes: readUpTo(file, maxBytes), mode: fstatSync(file).mode };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof UnreadableFileError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new UnreadableFileError(reasons.get(code) ?? code, { cause: error });
  }
}

/** Does not use the size of `stat`, because a pipe, as in `-config <(…)`, has none. */
function readUpTo(file: number, maxBytes: number): Uint8Array {
  const buffer = new Uint8Array(maxBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(file, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.slice(0, length);
    length += count;
  }
  throw new UnreadableFileError(`larger than ${maxBytes} bytes`);
}
