import { join } from "node:path";
import type { Log } from "../telemetry/log.ts";
import { errorText, type FileLayer, writeFully } from "./file-layer.ts";

/** The folder `damaged/`: damaged bytes and unusable files, for people to examine. Loom never reads them again. */
export interface DamagedFiles {
  /** Copies damaged bytes into the folder, unless it has a copy already. */
  keepBytes(segmentName: string, offset: number, bytes: Buffer): Promise<void>;
  /** Moves a whole file into the folder. */
  keepFile(path: string, name: string): Promise<void>;
}

/** Beyond this size, or this number of files, damaged bytes are counted and logged but not copied. */
const maxKeptBytes = 64 * 1024 * 1024;
const maxKeptFiles = 1000;

/** Opens the folder. Errors of the disk are logged and not thrown: the outbox works without the copies. */
export async function openDamagedFiles(folder: string, files: FileLayer, log: Log): Promise<DamagedFiles> {
  let keptBytes = 0;
  const names = new Set<string>();
  try {
    await files.makeDirectory(folder);
    for (const name of await files.list(folder)) {
      names.add(name);
      keptBytes += await sizeOf(files, join(folder, name));
    }
  } catch (error) {
    log.warn("cannot use the folder for damaged bytes; they are not copied", {
      folder,
      error: errorText(error),
    });
  }

  return {
    async keepBytes(segmentName, offset, bytes) {
      const name = `${segmentName}-${offset}`;
      if (names.has(name)) return;
      if (keptBytes + bytes.length > maxKeptBytes || names.size >= maxKeptFiles) {
        log.warn("the folder for damaged bytes is full; these bytes are not copied", {
          folder,
          segment: segmentName,
          offset,
          size_bytes: bytes.length,
        });
        return;
      }
      names.add(name);
      keptBytes += bytes.length;
      try {
        const file = await files.open(join(folder, name), "create");
        try {
          await writeFully(file, bytes, 0);
        } finally {
          await file.close();
        }
      } catch (error) {
        log.warn("cannot copy damaged bytes", { file: name, error: errorText(error) });
      }
    },

    async keepFile(path, name) {
      const target = names.has(name) ? `${name}-${Date.now()}` : name;
      try {
        await files.rename(path, join(folder, target));
        names.add(target);
      } catch (error) {
        log.warn("cannot move a file to damaged/; it stays where it is", {
          path,
          error: errorText(error),
        });
      }
    },
  };
}

async function sizeOf(files: FileLayer, path: string): Promise<number> {
  const file = await files.open(path, "read");
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}
