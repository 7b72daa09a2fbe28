import { basename, dirname } from "node:path";
import type { FileLayer, OutboxFile } from "../../server/outbox/file-layer.ts";
import type { Random } from "../support/random.ts";

export type Operation =
  | "open"
  | "read"
  | "create"
  | "write"
  | "truncate"
  | "datasync"
  | "syncDirectory"
  | "rename"
  | "remove";

/** A call that changed or synced something. */
export interface DiskCall {
  readonly operation: Operation;
  readonly path: string;
}

/** How a call fails: with an error code, or with a write of only this many bytes. */
export type Fault = { readonly code: string } | { readonly shortBytes: number } | undefined;

type Change =
  | { readonly kind: "write"; readonly bytes: Buffer; readonly position: number }
  | { readonly kind: "truncate"; readonly sizeBytes: number };

interface Inode {
  content: Buffer;
  synced: Buffer;
  unsynced: Change[];
}

/** A file system in memory. A crash loses changes that were not synced. */
export interface MemoryDisk extends FileLayer {
  /** In the order in which they took effect. */
  readonly calls: DiskCall[];
  /** Called before each call to the disk. */
  fault: (operation: Operation, path: string, bytes: number, position: number) => Fault;
  /** Awaited before each call to the disk, so that other tasks run in the meantime. By default there is no wait. */
  pause: (operation: Operation, path: string) => Promise<void> | undefined;
  /** What `space` returns. By default the disk is never full. */
  spaceNow: () => { readonly availableBytes: number; readonly totalBytes: number };
  /** What `identify` returns for a name that is not a file's. By default it is a directory that is never replaced. */
  directoryIdentity: (path: string) => string | undefined;
  /** Paths and contents as a program sees them now. A change of a content changes the disk. */
  readonly entries: ReadonlyMap<string, Inode>;
  /** Removes a file as somebody else would: at once, without a call to the disk by the outbox. */
  removeNow(path: string): void;
  /** Leaves the synced state of every file and directory, and a random part of the later changes. */
  crash(random: Random): void;
}

export function createMemoryDisk(): MemoryDisk {
  let entries = new Map<string, Inode>();
  let durableEntries = new Map<string, Inode>();
  let directoryChanges: { readonly directory: string; apply(target: Map<string, Inode>): void }[] = [];
  const calls: DiskCall[] = [];
  const inodeNumbers = new WeakMap<Inode, number>();
  let inodes = 0;

  function begin(operation: Operation, path: string, bytes = 0, position = 0): Fault {
    const fault = disk.fault(operation, path, bytes, position);
    if (fault && "code" in fault) throw systemError(fault.code, operation);
    return fault;
  }

  function end(operation: Operation, path: string): void {
    calls.push({ operation, path });
  }

  function identityOf(inode: Inode): string {
    const number = inodeNumbers.get(inode) ?? inodes++;
    inodeNumbers.set(inode, number);
    return `memory:${number}`;
  }

  function find(path: string): Inode {
    const inode = entries.get(path);
    if (!inode) throw systemError("ENOENT", "open");
    return inode;
  }

  function changeDirectory(directory: string, apply: (target: Map<string, Inode>) => void): void {
    apply(entries);
    directoryChanges.push({ directory, apply });
  }

  function apply(content: Buffer, change: Change): Buffer {
    if (change.kind === "truncate") {
      const cut = Buffer.alloc(change.sizeBytes);
      content.copy(cut);
      return cut;
    }
    const grown = Buffer.alloc(Math.max(content.length, change.position + change.bytes.length));
    content.copy(grown);
    change.bytes.copy(grown, change.position);
    return grown;
  }

  function change(inode: Inode, what: Change): void {
    inode.content = apply(inode.content, what);
    inode.unsynced.push(what);
  }

  function openInode(inode: Inode, path: string): OutboxFile {
    return {
      size: async () => inode.content.length,
      identify: async () => identityOf(inode),
      async read(target, position) {
        await (disk.pause("read", path) ?? Promise.resolve());
        begin("read", path, target.length, position);
        return position >= inode.content.length ? 0 : inode.content.copy(target, 0, position);
      },
      async write(source, position) {
        await (disk.pause("write", path) ?? Promise.resolve());
        const fault = begin("write", path, source.length, position);
        const length = fault && "shortBytes" in fault ? fault.shortBytes : source.length;
        change(inode, { kind: "write", bytes: Buffer.from(source.subarray(0, length)), position });
        end("write", path);
        return length;
      },
      async truncate(sizeBytes) {
        begin("truncate", path);
        change(inode, { kind: "truncate", sizeBytes });
        end("truncate", path);
      },
      async datasync() {
        const { content, unsynced } = inode;
        const count = unsynced.length;
        // Other tasks run in the meantime, as with a real disk.
        await (disk.pause("datasync", path) ?? new Promise((resolve) => setImmediate(resolve)));
        begin("datasync", path);
        inode.synced = content;
        inode.unsynced = unsynced.slice(count);
        end("datasync", path);
      },
      async close() {},
    };
  }

  const disk: MemoryDisk = {
    calls,
    fault: () => undefined,
    pause: () => undefined,
    spaceNow: () => ({ availableBytes: 1e15, totalBytes: 1e15 }),
    directoryIdentity: (path) => (path.endsWith(".seg") ? undefined : `memory:${path}`),
    get entries() {
      return entries;
    },
    lockDirectory: async () => ({ release() {} }),
    makeDirectory: async () => {},
    space: async () => disk.spaceNow(),
    async identify(path) {
      const inode = entries.get(path);
      return inode ? identityOf(inode) : disk.directoryIdentity(path);
    },
    list: async (path) =>
      [...entries.keys()].filter((entry) => dirname(entry) === path).map((entry) => basename(entry)),
    async open(path, mode) {
      await disk.pause(mode === "create" ? "create" : "open", path);
      begin(mode === "create" ? "create" : "open", path);
      if (mode !== "create") return openInode(find(path), path);
      const old = entries.get(path);
      if (old) change(old, { kind: "truncate", sizeBytes: 0 });
      const inode = old ?? { content: Buffer.alloc(0), synced: Buffer.alloc(0), unsynced: [] };
      if (!old) changeDirectory(dirname(path), (target) => target.set(path, inode));
      end("create", path);
      return openInode(inode, path);
    },
    async rename(from, to) {
      begin("rename", from);
      const inode = find(from);
      changeDirectory(dirname(from), (target) => {
        target.delete(from);
        target.set(to, inode);
      });
      end("rename", from);
    },
    async remove(path) {
      await disk.pause("remove", path);
      begin("remove", path);
      find(path);
      changeDirectory(dirname(path), (target) => target.delete(path));
      end("remove", path);
    },
    removeNow(path) {
      entries.delete(path);
      durableEntries.delete(path);
    },
    async syncDirectory(path) {
      await disk.pause("syncDirectory", path);
      begin("syncDirectory", path);
      for (const { directory, apply } of directoryChanges) if (directory === path) apply(durableEntries);
      directoryChanges = directoryChanges.filter(({ directory }) => directory !== path);
      end("syncDirectory", path);
    },
    crash(random) {
      const survivors = directoryChanges.slice(0, random.below(directoryChanges.length + 1));
      for (const { apply } of survivors) apply(durableEntries);
      directoryChanges = [];
      // New inodes: files that were opened before the crash no longer change the disk.
      const after = new Map<string, Inode>();
      for (const [path, inode] of durableEntries) {
        let content = inode.synced;
        for (const what of inode.unsynced)
          if (random.below(2) === 0) content = apply(content, torn(what, random));
        after.set(path, { content, synced: content, unsynced: [] });
      }
      entries = after;
      durableEntries = new Map(after);
    },
  };
  return disk;
}

/** A call to the disk that waits until it is released. */
export interface HeldCall {
  /** Resolves when the call waits. */
  readonly reached: Promise<void>;
  release(): void;
}

/** Holds the next call of this kind on a path that ends like this. */
export function holdNext(disk: MemoryDisk, operation: Operation, pathEnd: string): HeldCall {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  disk.pause = (called, path) => {
    if (called !== operation || !path.endsWith(pathEnd)) return undefined;
    disk.pause = () => undefined;
    reached.resolve();
    return released.promise;
  };
  return { reached: reached.promise, release: released.resolve };
}

/** Half of the writes that a crash interrupts are only partly on the disk. */
function torn(change: Change, random: Random): Change {
  if (change.kind === "truncate" || random.below(2) === 0) return change;
  const bytes = Buffer.from(change.bytes);
  const cut = random.below(bytes.length + 1);
  if (random.below(2) === 0) return { ...change, bytes: bytes.subarray(0, cut) };
  // The size is on the disk, but the data is not.
  bytes.fill(0, cut);
  return { ...change, bytes };
}

function systemError(code: string, operation: string): Error {
  return Object.assign(new Error(`${code}: injected fault, ${operation}`), { code });
}
