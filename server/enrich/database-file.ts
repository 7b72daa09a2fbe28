import { readFile, stat } from "node:fs/promises";
import { DatabaseError } from "./database-record.ts";

/** The largest databases on the market have about 1 GB. */
const maxFileBytes = 2 ** 31;

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file"],
  ["ENOTDIR", "no such file"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
]);

/** A text that changes when the content of a file does, found without reading it; or why there is no such file. */
export async function fileState(path: string): Promise<string> {
  try {
    return (await regularFile(path)).state;
  } catch (error) {
    return reasonOf(error);
  }
}

/**
 * Reads a whole database file. It may be a file embedded in the executable (`/$bunfs/…`), for which `stat` and `readFile`
 * work in Bun and `open` does not.
 *
 * @throws DatabaseError if it is missing, unreadable or too large, or changes while it is read
 */
export async function readDatabaseFile(path: string): Promise<{ bytes: Buffer; state: string }> {
  try {
    const { state } = await regularFile(path);
    const bytes = await readFile(path);
    // Another program is overwriting it: a part of the bytes may be old and a part new.
    if ((await fileState(path)) !== state) throw new DatabaseError("it changed while it was read");
    return { bytes, state };
  } catch (error) {
    throw error instanceof DatabaseError ? error : new DatabaseError(reasonOf(error), { cause: error });
  }
}

async function regularFile(path: string): Promise<{ state: string }> {
  const stats = await stat(path, { bigint: true });
  if (!stats.isFile()) throw new DatabaseError("it is not a regular file");
  const { dev, ino, size, mtimeNs } = stats;
  if (size > maxFileBytes) throw new DatabaseError(`it has ${size} bytes; at most ${maxFileBytes} are read`);
  return { state: `${dev}:${ino}:${size}:${mtimeNs}` };
}

/** The reason in words, or the name of the system's error if that is a rare one. */
function reasonOf(error: unknown): string {
  if (error instanceof DatabaseError) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return reasons.get(code) ?? code;
}
