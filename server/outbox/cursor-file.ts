import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type FileLayer, type OutboxFile, readFully, writeFully } from "./file-layer.ts";
import { formatVersion, readNumber, writeNumber } from "./format.ts";
import { NewerFormat, tryParseBlockVersion } from "./newer-format.ts";

/*
 * A cursor on disk: two slots of 64 bytes in one file, at 0 and at 4096, written alternately. The intact slot with the
 * higher generation counts, so after a torn write the slot before it counts. The file has its full size from the
 * beginning, so that a cursor can move when the disk is full; otherwise nothing could be removed from a full disk.
 *
 *   0 "\xffLOOMCUR" | 8 u32 version | 16 outbox id (16 bytes) | 32 u64 generation
 *   40 u64 position | 48 u64 border end | 60 u32 checksum of bytes 0-59
 */

const slotBytes = 64;
const slotDistance = 4096;
const cursorMagic = Buffer.from("\xffLOOMCUR", "latin1");
const suffix = ".cursor";

export interface CursorState {
  /** The first event that is not acknowledged. */
  readonly position: number;
  /** One past the last event of the batch in flight, which begins at `position`; not above `position` if there is none. */
  readonly borderEnd: number;
}

export interface StoredCursor extends CursorState {
  readonly outboxId: string;
  readonly generation: number;
}

export interface CursorFile {
  /** Resolves when the state is synced to disk. @throws Error if it is not; then the state before it still counts. */
  write(state: CursorState): Promise<void>;
  close(): Promise<void>;
}

export function cursorFileName(output: string): string {
  return `${encodeURIComponent(output)}${suffix}`;
}

/** The output of a cursor file, from its name; undefined if a cursor file cannot have this name. */
export function tryParseCursorFileName(name: string): string | undefined {
  if (!name.endsWith(suffix)) return undefined;
  try {
    return decodeURIComponent(name.slice(0, -suffix.length));
  } catch {
    // The name contains an invalid "%" escape, so Loom did not create this file.
    return undefined;
  }
}

/**
 * Reads a cursor file; undefined if it has no intact slot.
 * @throws NewerFormat if a newer Loom wrote it
 * @throws Error if it cannot be read
 */
export async function readCursor(files: FileLayer, path: string): Promise<StoredCursor | undefined> {
  const file = await files.open(path, "read");
  try {
    const bytes = Buffer.alloc(slotDistance + slotBytes);
    await readFully(file, bytes, 0);
    const slots = [bytes.subarray(0, slotBytes), bytes.subarray(slotDistance)];
    for (const slot of slots) {
      const version = tryParseBlockVersion(slot, cursorMagic) ?? 0;
      if (version > formatVersion) throw new NewerFormat(path, version, formatVersion);
    }
    const [first, second] = slots.map(tryParseSlot);
    if (!first || !second) return first ?? second;
    return first.generation > second.generation ? first : second;
  } finally {
    await file.close();
  }
}

function tryParseSlot(slot: Buffer): StoredCursor | undefined {
  if (tryParseBlockVersion(slot, cursorMagic) !== formatVersion) return undefined;
  return {
    outboxId: slot.toString("hex", 16, 32),
    generation: readNumber(slot, 32),
    position: readNumber(slot, 40),
    borderEnd: readNumber(slot, 48),
  };
}

export interface CursorFileOptions {
  readonly files: FileLayer;
  readonly outboxId: string;
  readonly folder: string;
  readonly output: string;
  /** The generation that was read; 0 if the file is missing or has no intact slot. Then the first write creates it again. */
  readonly generation: number;
}

/** A cursor to write to. The first write opens or creates the file; if that fails, the next write tries again. */
export function createCursorFile(options: CursorFileOptions): CursorFile {
  const { files, folder } = options;
  const path = join(folder, cursorFileName(options.output));
  let { generation } = options;
  let file: OutboxFile | undefined;

  async function open(): Promise<OutboxFile> {
    if (generation > 0) return files.open(path, "update");
    const created = await files.open(path, "create");
    try {
      await writeFully(created, Buffer.alloc(slotDistance + slotBytes), 0);
      await created.datasync();
      await files.syncDirectory(folder);
      return created;
    } catch (error) {
      await created.close();
      throw error;
    }
  }

  return {
    async write(state) {
      file ??= await open();
      const next = generation + 1;
      const slot = encodeSlot({ ...state, outboxId: options.outboxId, generation: next });
      await writeFully(file, slot, (next % 2) * slotDistance);
      await file.datasync();
      generation = next;
    },
    async close() {
      await file?.close();
      file = undefined;
    },
  };
}

function encodeSlot(cursor: StoredCursor): Buffer {
  const slot = Buffer.alloc(slotBytes);
  cursorMagic.copy(slot);
  slot.writeUInt32LE(formatVersion, 8);
  slot.write(cursor.outboxId, 16, "hex");
  writeNumber(slot, cursor.generation, 32);
  writeNumber(slot, cursor.position, 40);
  writeNumber(slot, cursor.borderEnd, 48);
  slot.writeUInt32LE(crc32(slot.subarray(0, 60)), 60);
  return slot;
}
