import { statfs } from "node:fs/promises";

/** The resources that this process uses. */
export interface ProcessResources {
  /** Should be called about every 10 s. */
  sample(): void;
  /** CPU cores used between the last two samples; before the second sample, since the first one. */
  readonly cpuCores: number;
  readonly residentBytes: number;
  /** The file system of the directory, at the last sample; undefined: unknown. */
  readonly disk: DiskSpace | undefined;
}

export interface DiskSpace {
  /** Available to this process's user. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface ProcessResourcesOptions {
  /** undefined: Loom writes nothing to disk. */
  readonly directory: string | undefined;
  /** A monotonic clock in milliseconds. */
  readonly monotonic?: () => number;
  /** CPU time of this process in microseconds. */
  readonly cpuUsage?: () => { readonly user: number; readonly system: number };
}

/** Takes the first sample at once. */
export function createProcessResources(options: ProcessResourcesOptions): ProcessResources {
  const { directory, monotonic = () => performance.now(), cpuUsage = () => process.cpuUsage() } = options;
  let last = readCpu();
  let cpuCores: number | undefined;
  let disk: DiskSpace | undefined;
  let isDiskAsked = false;

  function readCpu(): { readonly at: number; readonly cpuMs: number } {
    const { user, system } = cpuUsage();
    return { at: monotonic(), cpuMs: (user + system) / 1000 };
  }

  function coresSinceLast(now = readCpu()): number {
    return now.at > last.at ? (now.cpuMs - last.cpuMs) / (now.at - last.at) : 0;
  }

  /** Nothing waits for this: a file system that hangs must not block anything, and has one open call at most. */
  async function sampleDisk(path: string): Promise<void> {
    if (isDiskAsked) return;
    isDiskAsked = true;
    try {
      const { bavail, blocks, bsize } = await statfs(path);
      disk = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch {
      // The dashboard then shows that it is unknown. If the disk is gone, the outbox reports that itself.
      disk = undefined;
    }
    isDiskAsked = false;
  }

  if (directory !== undefined) void sampleDisk(directory);
  return {
    sample() {
      const now = readCpu();
      cpuCores = coresSinceLast(now);
      last = now;
      if (directory !== undefined) void sampleDisk(directory);
    },
    get cpuCores() {
      return cpuCores ?? coresSinceLast();
    },
    get residentBytes() {
      return process.memoryUsage.rss();
    },
    get disk() {
      return disk;
    },
  };
}
