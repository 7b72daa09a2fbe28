import { readFile, stat } from "node:fs/promises";
import { DatabaseError } from "./database-record.ts";

/** The largest databases that are sold have about 1 GB. */
const maxFileBytes = 2 ** 31;

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file"],
  ["ENOTDIR", "no such file"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
]);

/** What tells one content of a file from another without reading it; or the reason why there is none. */
export async function fileState(path: string): Promise<string> {
  try {
    return (await regularFile(path)).state;
  } catch (error) {
    return reasonOf(error);
  }
}

/**
 * Reads a database file whole. Embedded files of the executable (`/$bunfs/…`) can be read as well: there `stat` and
 * `readFile` work in Bun, `open` does not.
 *
 * @throws DatabaseError when it is missing, not to be read, too large, or changed meanwhile
 */
export async function readDatabaseFile(path: string): Promise<{ bytes: Buffer; state: string }> {
  try {
    const { state } = await regularFile(path);
    const bytes = await readFile(path);
    // Somebody copies over it: half of it may be old, half new.
    if ((await fileState(path)) !== state) throw new DatabaseError("it changes while it is read");
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

/** The reason in the operator's words; the name of the system's error for a rare one. */
function reasonOf(error: unknown): string {
  if (error instanceof DatabaseError) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return reasons.get(code) ?? code;
}
