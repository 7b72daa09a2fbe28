import { open, rename, unlink } from "node:fs/promises";
import { AppendFile } from "./append-file.ts";
import { readSpans, writeAt } from "./file.ts";
import type { RecordIndex } from "./record-index.ts";

/**
 * Writes the lines that the index has to a new file, which then replaces the file at `path`. The old file stays open for
 * readers; the caller closes it. Until then both use room on the disk.
 * @returns the new file. Its index is `index.compacted()`, and its name is not synced yet
 * @throws the error of the system, such as ENOSPC. The file at `path` is unchanged then
 */
export async function compact(path: string, old: AppendFile, index: RecordIndex): Promise<AppendFile> {
  // A crash may have left a temporary file; it is overwritten.
  const temporary = `${path}.tmp`;
  const handle = await open(temporary, "w+", 0o600);
  try {
    let end = 0;
    for await (const bytes of readSpans(old.handle, index.liveSpans())) {
      await writeAt(handle, bytes, end);
      end += bytes.length;
    }
    await handle.datasync();
    await rename(temporary, path);
  } catch (error) {
    await handle.close();
    // It would take up room on a disk that may be full.
    await unlink(temporary).catch(() => {});
    throw error;
  }
  return AppendFile.renamed(path, handle);
}
