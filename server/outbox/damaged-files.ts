import { join } from "node:path";
import type { Log } from "../telemetry/log.ts";
import { errorText, type FileLayer, writeFully } from "./file-layer.ts";

/** Where damaged bytes go, for a person to look at; nothing in it is read again. */
export interface DamagedFiles {
  /** Keeps a copy of damaged bytes; those that are there already are not written again. */
  keepBytes(segmentName: string, offset: number, bytes: Buffer): Promise<void>;
  /** Moves a whole file there. */
  keepFile(path: string, name: string): Promise<void>;
}

/** The damaged bytes kept at most; past this they are counted and logged only. */
const maxKeptBytes = 64 * 1024 * 1024;
const maxKeptFiles = 1000;

/** Never fails for the disk: what can't be set aside is logged, and the outbox goes on without it. */
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
    log.warn("outbox: cannot use the folder for damaged records", { folder, error: errorText(error) });
  }

  return {
    async keepBytes(segmentName, offset, bytes) {
      const name = `${segmentName}-${offset}`;
      if (names.has(name)) return;
      if (keptBytes + bytes.length > maxKeptBytes || names.size >= maxKeptFiles) {
        log.warn("outbox: the folder for damaged records is full; these bytes are not kept", {
          folder,
          segment: segmentName,
          offset,
          bytes: bytes.length,
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
        log.warn("outbox: cannot set damaged bytes aside", { file: name, error: errorText(error) });
      }
    },

    async keepFile(path, name) {
      const target = names.has(name) ? `${name}-${Date.now()}` : name;
      try {
        await files.rename(path, join(folder, target));
        names.add(target);
      } catch (error) {
        log.warn("outbox: cannot set a file aside; it is left where it is", {
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
