import { basename, join } from "node:path";
import type { EnrichedBatch, OutboxReader } from "../pipeline.ts";
import type { Log } from "../telemetry/log.ts";
import { Appender, type AppenderCounts } from "./appender.ts";
import { type CursorState, createCursorFile, cursorFileName } from "./cursor-file.ts";
import { openDamagedFiles } from "./damaged-files.ts";
import { DiskSpace } from "./disk-space.ts";
import { errorText, type FileLayer, systemFiles } from "./file-layer.ts";
import { type OutboxCursor, type PassedDamage, Reader, type ReaderOptions } from "./reader.ts";
import { type Recovered, recover } from "./recovery.ts";
import { Reserve } from "./reserve.ts";
import { markDamaged, type Segment } from "./segment.ts";

export interface OutboxOptions {
  readonly dir: string;
  /**
   * The bound on the size of all segment files together. The header of an empty segment may exceed it by 64 bytes.
   * Cursors and `damaged/` are not included.
   */
  readonly maxBytes: number;
  /** What happens when the outbox is full: refuse batches, or remove the oldest segment, delivered or not. */
  readonly onFull: "reject" | "drop_oldest";
  /** The names of the outputs. Each has its own cursor. */
  readonly outputs: readonly string[];
  readonly log: Log;
  readonly files?: FileLayer;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly segmentBytes?: number;
  readonly reserveBytes?: number;
}

export interface OutboxCounts extends AppenderCounts {
  readonly segments: number;
  /** Events that were removed before they were delivered, by output, since the start. */
  readonly droppedEvents: Readonly<Record<string, number>>;
  /** Events that were kept and could not be read from disk, found at the start or since. Each counts once. */
  readonly damagedEvents: number;
  /** Events that an output has passed because they could not be read, by output, since the start. */
  readonly skippedEvents: Readonly<Record<string, number>>;
}

/** Stores batches on disk, in order, until each output has received them. */
export interface Outbox {
  /** Created with the outbox, and the same after every restart. 32 hexadecimal digits. */
  readonly id: string;
  /**
   * Resolves when the batch is synced to disk. Batches that arrive at the same time share one sync.
   * @throws CannotKeep if it is not, and none of its events will be delivered.
   */
  append(batch: EnrichedBatch): Promise<void>;
  /** Why batches cannot be kept, or soon cannot; undefined if they can. */
  problem(): string | undefined;
  /** @throws Error if `outputs` did not name this output. */
  reader(output: string): OutboxReader;
  counts(): OutboxCounts;
  /**
   * Gives the room of the reserve back to a full disk, for something that delivery needs to write.
   * @returns false if there is none to give
   */
  releaseReserve(): Promise<boolean>;
  /** Finishes the batches that are queued, refuses later ones, and releases the directory. */
  close(): Promise<void>;
}

const defaultSegmentBytes = 16 * 1024 * 1024;
/** The outbox has at least this many segments when it is full, because room is made one segment at a time. */
const minSegments = 8;
/** Room for a batch of dead letters, on top of `maxBytes`. */
const defaultReserveBytes = 16 * 1024 * 1024;
const reserveShare = 1 / 16;

/**
 * Locks the directory, recovers its contents, and opens it for appending. A damaged file does not prevent that.
 * @throws Error if the directory is in use, cannot be written, or was written by a newer Loom.
 */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const files = options.files ?? systemFiles;
  const lock = await files.lockDirectory(options.dir);
  try {
    return await openLocked({ ...options, files, log: options.log.component("outbox") }, () =>
      lock.release(),
    );
  } catch (error) {
    lock.release();
    throw error;
  }
}

type OpenOptions = OutboxOptions & { readonly files: FileLayer };

async function openLocked(options: OpenOptions, release: () => void): Promise<Outbox> {
  const { dir, files, log } = options;
  const cursorFolder = join(dir, "cursors");
  await files.makeDirectory(cursorFolder);
  const damaged = await openDamagedFiles(join(dir, "damaged"), files, log);
  const recovered = await recover({ dir, cursorFolder, outputs: options.outputs, files, damaged, log });
  await removeUnusedCursors(options, cursorFolder, recovered);

  const damage = new DamageCounter(recovered.damagedEvents, log);
  const sizes = await sizesFor(options);
  const reserve = new Reserve({ dir, files, log, sizeBytes: sizes.reserveBytes });
  await reserve.open();
  const space: DiskSpace = new DiskSpace({
    dir,
    files,
    reserve,
    sizeBytes: () => appender.counts().sizeBytes,
    onExamined: () => appender.noteSpace(),
  });
  const appender = new Appender({
    ...options,
    ...recovered,
    now: options.now ?? Date.now,
    segmentBytes: sizes.segmentBytes,
    cursors: () => cursors,
    reserve,
    capacityBytes: () => space.capacityBytes,
  });
  const cursors = options.outputs.map((output) =>
    createCursor(options, cursorFolder, recovered, output, {
      onDamage: (passed) => damage.add(passed),
      onDamagedBytes: ({ segment, offset, bytes }) =>
        void damaged.keepBytes(basename(segment.path), offset, bytes),
      onMoved: () => void appender.removeDelivered(),
    }),
  );
  const newestPath = await appender.start();
  if (newestPath !== undefined) await recovered.cleanUp(newestPath);
  await startCursors(cursors, log);
  await appender.removeDelivered();
  await space.start();
  warnIfDiskIsSmall(options, space.capacityBytes);

  return {
    id: recovered.outboxId,
    append: (batch) => appender.append(batch),
    problem: () => appender.problem(),
    reader(output) {
      const cursor = cursors.find((candidate) => candidate.output === output);
      if (!cursor) throw new Error(`BUG: the outbox has no cursor for ${output}`);
      return cursor;
    },
    counts: () => ({
      ...appender.counts(),
      segments: recovered.segments.length,
      damagedEvents: damage.events,
      skippedEvents: Object.fromEntries(cursors.map(({ output, damagedEvents }) => [output, damagedEvents])),
      droppedEvents: Object.fromEntries(cursors.map(({ output, droppedEvents }) => [output, droppedEvents])),
    }),
    releaseReserve: () => reserve.release(),
    async close() {
      space.close();
      await appender.close();
      await reserve.settled();
      for (const cursor of cursors) await cursor.close();
      release();
    },
  };
}

/** The sizes that suit `maxBytes`, and the disk if that is smaller. */
async function sizesFor(options: OpenOptions): Promise<{ segmentBytes: number; reserveBytes: number }> {
  const { dir, files, maxBytes } = options;
  // Some file systems do not know their size.
  const totalBytes = (await files.space(dir).catch(() => undefined))?.totalBytes || Number.POSITIVE_INFINITY;
  const bytes = Math.min(maxBytes, totalBytes);
  return {
    segmentBytes: options.segmentBytes ?? Math.min(defaultSegmentBytes, Math.floor(bytes / minSegments)),
    reserveBytes: options.reserveBytes ?? Math.min(defaultReserveBytes, Math.floor(bytes * reserveShare)),
  };
}

function warnIfDiskIsSmall({ dir, maxBytes, log }: OpenOptions, capacityBytes: number): void {
  if (maxBytes <= capacityBytes) return;
  log.warn("the disk has less room than max_bytes; batches are refused when the disk is full", {
    dir,
    max_bytes: maxBytes,
    disk_has_room_for_bytes: Math.floor(capacityBytes),
  });
}

/** Counts damaged events, each once, although every output finds the damage for itself. */
class DamageCounter {
  readonly #log: Log;
  /** Each with all the damage that is known. */
  readonly #segments = new WeakMap<Segment, Segment>();
  #events: number;

  constructor(eventsAtStart: number, log: Log) {
    this.#events = eventsAtStart;
    this.#log = log;
  }

  get events(): number {
    return this.#events;
  }

  add({ segment, first, end, reason }: PassedDamage): void {
    const { damagedRanges } = this.#segments.get(segment) ?? segment;
    const known = { ...segment, damagedRanges };
    const events = markDamaged(known, first, end);
    if (events === 0) return;
    this.#segments.set(segment, known);
    this.#events += events;
    this.#log.error("skipped damaged events of a segment; they are not delivered", {
      segment: basename(segment.path),
      events,
      reason,
    });
  }
}

function createCursor(
  { files, log }: OpenOptions,
  folder: string,
  recovered: Recovered,
  output: string,
  events: Pick<ReaderOptions, "onDamage" | "onDamagedBytes" | "onMoved">,
): OutboxCursor {
  const { outboxId, segments, cursors } = recovered;
  const generation = cursors.get(output)?.generation ?? 0;
  const isThere = async (path: string | undefined) =>
    path !== undefined && (await files.identify(path)) !== undefined;
  return new Reader({
    ...events,
    ...startingPoint(output, recovered, log),
    output,
    files,
    segments,
    cursorFile: createCursorFile({ files, outboxId, folder, output, generation }),
    // Somebody who removes or moves the directory takes the newest segment and the cursors along.
    isDirectoryInPlace: async (missing) => {
      const newest = segments.at(-1)?.path;
      return (newest !== missing && (await isThere(newest))) || isThere(join(folder, cursorFileName(output)));
    },
  });
}

async function startCursors(cursors: readonly OutboxCursor[], log: Log): Promise<void> {
  for (const cursor of cursors)
    await cursor.start().catch((error: unknown) => {
      log.error("cannot write a cursor; the next batch of the output tries again", {
        output: cursor.output,
        error: errorText(error),
      });
    });
}

/** Removes the cursors of outputs that are no longer configured: they would hold segments forever. */
async function removeUnusedCursors(
  { outputs, files, log }: OpenOptions,
  folder: string,
  { cursors }: Recovered,
): Promise<void> {
  for (const [output, { position }] of cursors) {
    if (outputs.includes(output)) continue;
    log.warn("an output is no longer configured; its cursor is removed", { output, position });
    try {
      await files.remove(join(folder, cursorFileName(output)));
      await files.syncDirectory(folder);
    } catch (error) {
      log.warn("cannot remove a cursor; the next start tries again", { output, error: errorText(error) });
    }
  }
}

/** Where an output continues: at its cursor, or at the oldest event that is left. */
function startingPoint(
  output: string,
  { cursors, segments, keptEnd, nextSequence }: Recovered,
  log: Log,
): CursorState {
  const oldest = segments[0]?.firstSequence ?? nextSequence;
  const cursor = cursors.get(output);
  if (!cursor) return { position: oldest, borderEnd: 0 };
  const { position, borderEnd } = cursor;
  if (position > keptEnd)
    log.warn("a cursor is beyond the last event; the output starts at the end", {
      output,
      position,
      kept_end: keptEnd,
    });
  if (position < oldest && segments.length > 0)
    log.warn("events were removed before they were delivered to this output", { output, position, oldest });
  return { position: Math.max(position, oldest), borderEnd };
}
