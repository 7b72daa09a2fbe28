import { type FileHandle, open, rename, stat } from "node:fs/promises";
import type { Log } from "../../telemetry/log.ts";
import {
  type DeadLetterIndex,
  emptyIndex,
  readIndex,
  readLetter,
  readSpans,
  type Span,
  syncDirectoryOf,
  writeAt,
} from "./file.ts";
import type { DeadLetter } from "./record.ts";

/**
 * One dead-letter file as its only writer has it: lines are added at its end, and taken out by writing it anew. What
 * changes it is called one after another; what only looks may be called at any time.
 */
export interface DeadLetterStore {
  has(sequence: number): boolean;
  /** In the order in which they were refused. */
  sequences(): Iterable<number>;
  /** undefined: there is none. @throws Error when it can't be read */
  read(sequence: number): Promise<DeadLetter | undefined>;
  waiting(): { readonly events: number; readonly bytes: number };
  hasRoomFor(bytes: number): boolean;
  /** On disk and synced when this resolves, all or none. Where there is no room the oldest letters make some. */
  addLetters(lines: readonly LetterLine[]): Promise<void>;
  /** A line that says something of letters; as `addLetters`. */
  addNote(line: Buffer): Promise<void>;
  /** Takes a letter out of the index; in the file it stays until that is rewritten. @returns whether there was one */
  forget(sequence: number): boolean;
  /** Writes the file anew, unless all of it is still wanted. */
  rewriteWithoutWaste(): Promise<void>;
  close(): Promise<void>;
}

export interface LetterLine {
  readonly sequence: number;
  readonly line: Buffer;
}

export interface DeadLetterStoreOptions {
  readonly path: string;
  readonly maxBytes: number;
  readonly log: Log;
  /** So many of the oldest letters are lost to make room. */
  readonly onOverflow: (letters: number) => void;
}

/** How full the file is after the oldest letters were dropped. */
const keptShare = 7 / 8;

/** @throws Error when the file is there and can't be read or written */
export async function openDeadLetterStore(options: DeadLetterStoreOptions): Promise<DeadLetterStore> {
  const { path, maxBytes, log } = options;
  let file = await openExisting(path);
  let index = emptyIndex();
  /** Of the file: what a rewrite keeps. */
  let liveBytes = 0;
  /** What lies behind the last whole line is left from a write that failed, or from a crash. */
  let isTailTorn = true;
  let isNameSynced = false;
  if (file) await load(file);

  async function load(existing: FileHandle): Promise<void> {
    index = await readIndex(existing);
    liveBytes = lengthOf(index.letters.values()) + lengthOf(index.damaged);
    if (index.damaged.length > 0)
      log.error("lines of a dead-letter file are damaged; left in it", { path, lines: index.damaged.length });
    await rewriteWithoutWaste();
  }

  /** Somebody removed or edited the file by hand: what is there now counts. */
  async function noticeReplacement(): Promise<void> {
    if (!file) return;
    const here = await stat(path).catch(() => undefined);
    if (here && here.ino === (await file.stat()).ino) return;
    log.warn("the dead-letter file was removed or replaced by hand", { path });
    const old = file;
    file = undefined;
    index = emptyIndex();
    liveBytes = 0;
    isTailTorn = true;
    isNameSynced = false;
    await old.close();
    file = await openExisting(path);
    if (file) await load(file);
  }

  async function append(lines: Buffer): Promise<void> {
    await noticeReplacement();
    if (index.size + lines.length > maxBytes) await makeRoom(lines.length);
    file ??= await open(path, "wx+", 0o600);
    if (isTailTorn) await file.truncate(index.size);
    isTailTorn = true;
    await writeAt(file, lines, index.size);
    await file.datasync();
    if (!isNameSynced) await syncDirectoryOf(path);
    isNameSynced = true;
    isTailTorn = false;
  }

  async function makeRoom(neededBytes: number): Promise<void> {
    const maxKeptBytes = maxBytes * keptShare - neededBytes;
    let lostLetters = 0;
    while (liveBytes > maxKeptBytes && index.damaged.length > 0)
      liveBytes -= index.damaged.shift()?.length ?? 0;
    for (const sequence of index.letters.keys()) {
      if (liveBytes <= maxKeptBytes) break;
      forget(sequence);
      lostLetters++;
    }
    if (lostLetters > 0) options.onOverflow(lostLetters);
    await rewrite();
  }

  function forget(sequence: number): boolean {
    const span = index.letters.get(sequence);
    if (!span) return false;
    index.letters.delete(sequence);
    liveBytes -= span.length;
    return true;
  }

  async function rewriteWithoutWaste(): Promise<void> {
    if (index.size > liveBytes) await rewrite();
  }

  /** Writes what is still wanted to a new file in the old one's place. */
  async function rewrite(): Promise<void> {
    if (!file) return;
    const temporary = `${path}.tmp`;
    const next = await open(temporary, "w+", 0o600);
    const moved: DeadLetterIndex = emptyIndex();
    try {
      for await (const bytes of readSpans(file, [...index.damaged, ...index.letters.values()])) {
        await writeAt(next, bytes, moved.size);
        moved.size += bytes.length;
      }
      await next.datasync();
      await rename(temporary, path);
    } catch (error) {
      await next.close();
      throw error;
    }
    moveSpans(index, moved);
    const old = file;
    file = next;
    index = moved;
    isTailTorn = false;
    isNameSynced = false;
    await old.close();
    await syncDirectoryOf(path);
    isNameSynced = true;
  }

  async function read(sequence: number): Promise<DeadLetter | undefined> {
    for (;;) {
      const span = index.letters.get(sequence);
      const readFrom = file;
      if (!span || !readFrom) return undefined;
      try {
        return await readLetter(readFrom, span);
      } catch (error) {
        // Where a rewrite put another file in its place, this one was closed; the letter lies in the other, or is gone.
        if (file === readFrom) throw error;
      }
    }
  }

  return {
    has: (sequence) => index.letters.has(sequence),
    sequences: () => index.letters.keys(),
    read,
    waiting: () => ({ events: index.letters.size, bytes: liveBytes }),
    hasRoomFor: (bytes) => index.size + bytes <= maxBytes,
    async addLetters(lines) {
      await append(Buffer.concat(lines.map(({ line }) => line)));
      for (const { sequence, line } of lines) {
        forget(sequence);
        index.letters.set(sequence, { offset: index.size, length: line.length });
        index.size += line.length;
        liveBytes += line.length;
      }
    },
    async addNote(line) {
      await append(line);
      index.size += line.length;
    },
    forget,
    rewriteWithoutWaste,
    async close() {
      await file?.close();
    },
  };
}

/** Lays out in `to` what `from` holds, one span after the other. */
function moveSpans(from: DeadLetterIndex, to: DeadLetterIndex): void {
  let offset = 0;
  const move = ({ length }: Span): Span => {
    const moved = { offset, length };
    offset += length;
    return moved;
  };
  for (const span of from.damaged) to.damaged.push(move(span));
  for (const [sequence, span] of from.letters) to.letters.set(sequence, move(span));
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`cannot open the dead letters ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function lengthOf(spans: Iterable<Span>): number {
  let length = 0;
  for (const span of spans) length += span.length;
  return length;
}
