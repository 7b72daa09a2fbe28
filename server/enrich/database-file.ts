import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { FileWaitError, inFileTurn } from "../file-turns.ts";
import { DatabaseError } from "./database-error.ts";

/** The largest databases on the market have about 1 GB. */
const maxFileBytes = 2 ** 31;
const chunkBytes = 4 * 1024 * 1024;

/** The state of a file that does not exist. */
export const missingFile = "no such file" as const;

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", missingFile],
  ["ENOTDIR", missingFile],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
]);

/** A text that changes when the content of a file does, found without reading it; or why there is no such file. */
export async function fileState(path: string): Promise<string> {
  try {
    return await inFileTurn(path, async () => (await regularFile(path)).state);
  } catch (error) {
    return reasonOf(error);
  }
}

/**
 * Reads a whole database file.
 *
 * @throws DatabaseError if it is missing, unreadable or too large, changes while it is read, or gives no bytes for 10 s
 */
export async function readDatabaseFile(path: string): Promise<{ bytes: Buffer; state: string }> {
  try {
    return await inFileTurn(path, async ({ signal, progress }) => {
      const { state, size } = await regularFile(path);
      const onChunk = () => {
        signal.throwIfAborted();
        progress();
      };
      const bytes = await readInChunks(path, size, onChunk);
      // Another program is overwriting it: a part of the bytes may be old and a part new.
      const isChanged = bytes.length !== size || (await regularFile(path)).state !== state;
      if (isChanged) throw new DatabaseError("it changed while it was read");
      return { bytes, state };
    });
  } catch (error) {
    throw error instanceof DatabaseError ? error : new DatabaseError(reasonOf(error), { cause: error });
  }
}

/** Reads up to `size` bytes. */
async function readInChunks(path: string, size: number, onChunk: () => void): Promise<Buffer> {
  // The file may have been replaced by a named pipe in the meantime.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await readUpTo(file, Buffer.allocUnsafeSlow(size), onChunk);
  } finally {
    await file.close();
  }
}

async function readUpTo(file: FileHandle, bytes: Buffer, onChunk: () => void): Promise<Buffer> {
  let length = 0;
  while (length < bytes.length) {
    const wanted = Math.min(chunkBytes, bytes.length - length);
    const { bytesRead } = await file.read(bytes, length, wanted, null);
    onChunk();
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

async function regularFile(path: string): Promise<{ state: string; size: number }> {
  const stats = await stat(path, { bigint: true });
  if (!stats.isFile()) throw new DatabaseError("it is not a regular file");
  const { dev, ino, size, mtimeNs } = stats;
  if (size > maxFileBytes) throw new DatabaseError(`it has ${size} bytes; at most ${maxFileBytes} are read`);
  return { state: `${dev}:${ino}:${size}:${mtimeNs}`, size: Number(size) };
}

/** The reason in words, or the name of the system's error if that is a rare one. */
function reasonOf(error: unknown): string {
  if (error instanceof DatabaseError || error instanceof FileWaitError) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return reasons.get(code) ?? code;
}
