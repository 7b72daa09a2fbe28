import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small file system of its own, which is unmounted at the end. */
export interface SmallDisk extends Disposable {
  readonly folder: string;
}

/** Mounts a file system in memory. @throws Error if this user may not */
export function mountSmallDisk(sizeBytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "loom-disk-"));
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", folder]);
  if (!mounted.success) {
    rmSync(folder, { recursive: true });
    throw new Error(`cannot mount: ${mounted.stderr}`);
  }
  return {
    folder,
    [Symbol.dispose]() {
      // Lazily, because a process that a failed test left may have files open.
      Bun.spawnSync(["umount", "-l", folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Whether this user may mount a file system. If not, it says that the tests of this file are skipped. */
export function canMountSmallDisks(): boolean {
  try {
    mountSmallDisk(1024 * 1024)[Symbol.dispose]();
    return true;
  } catch {
    console.log("skipped: this user may not mount a small disk");
    return false;
  }
}

/** Fills the disk to its last byte. @returns the path of the file that does */
export function fillDisk(folder: string): string {
  const path = join(folder, "filler");
  for (let size = 1024 * 1024; size > 0; size = Math.floor(size / 2))
    for (let isFull = false; !isFull; ) {
      try {
        writeFileSync(path, Buffer.alloc(size), { flag: "a" });
      } catch {
        isFull = true;
      }
    }
  return path;
}
