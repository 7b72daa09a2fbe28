import { statfs } from "node:fs/promises";

/** What Loom itself uses of the machine. */
export interface ProcessResources {
  /** To be called every 10 s or so. */
  sample(): void;
  /** Of one core, between the last two samples; at first since the only one. */
  readonly cpuCores: number;
  readonly residentBytes: number;
  /** Of the file system that the directory lies on, at the last sample; undefined: not known. */
  readonly disk: DiskSpace | undefined;
}

export interface DiskSpace {
  /** For this process's user. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface ProcessResourcesOptions {
  /** undefined: nothing is written to disk. */
  readonly directory: string | undefined;
  /** Milliseconds, monotonic. */
  readonly monotonic?: () => number;
  /** Microseconds. */
  readonly cpuUsage?: () => { readonly user: number; readonly system: number };
}

/** The first sample is taken at once. */
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

  /** Without waiting: a file system that hangs must hold up nothing, and is asked once. */
  async function sampleDisk(path: string): Promise<void> {
    if (isDiskAsked) return;
    isDiskAsked = true;
    try {
      const { bavail, blocks, bsize } = await statfs(path);
      disk = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch {
      // The dashboard says that it is not known; the outbox says so itself when its disk is gone.
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
