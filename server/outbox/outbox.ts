import { basename, join } from "node:path";
import type { EnrichedBatch, OutboxReader } from "../pipeline.ts";
import type { Log } from "../telemetry/log.ts";
import { createAppender } from "./appender.ts";
import { createCursorFile, cursorFileName } from "./cursor-file.ts";
import { openDamagedFiles } from "./damaged-files.ts";
import { errorText, type FileLayer, systemFiles } from "./file-layer.ts";
import { createReader } from "./reader.ts";
import { type Recovered, recover } from "./recovery.ts";
import { markDamaged } from "./segment.ts";

export interface OutboxOptions {
  readonly dir: string;
  /** The segments together take no more; cursors and the folder for damaged records come on top. */
  readonly maxBytes: number;
  /** Full: refuse what comes, or remove the oldest segment though it is not delivered everywhere. */
  readonly onFull: "reject" | "drop_oldest";
  /** Names of outputs, each with a cursor of its own. */
  readonly outputs: readonly string[];
  readonly log: Log;
  readonly files?: FileLayer;
  readonly now?: () => number;
  readonly segmentBytes?: number;
}

export interface OutboxCounts {
  readonly sizeBytes: number;
  /** What the segments together may take. */
  readonly maxBytes: number;
  /** Since the start: kept for every output. */
  readonly appendedEvents: number;
  readonly segments: number;
  /** Since the start, by output: removed before they were delivered to it. */
  readonly droppedEvents: Readonly<Record<string, number>>;
  /** Since the start: kept, and not readable any more. */
  readonly damagedEvents: number;
  readonly syncs: number;
  readonly failedSyncs: number;
  /** Of the last write and sync together. */
  readonly lastSyncMs: number;
}

/** What is kept for the outputs: on disk, in order, until each of them has it. */
export interface Outbox {
  /** Made once; the same after every restart. 32 hexadecimal digits. */
  readonly id: string;
  /**
   * Resolves when the batch is on the disk; those that wait at the same moment share one sync.
   * @throws CannotKeep when it is not there, and nothing of it will be delivered.
   */
  append(batch: EnrichedBatch): Promise<void>;
  /** Why batches can't be kept, or soon can't; undefined: all is well. */
  problem(): string | undefined;
  /** @throws Error for an output that was not named at the opening. */
  reader(output: string): OutboxReader;
  counts(): OutboxCounts;
  /** Finishes what is being written, refuses the rest, and frees the directory. */
  close(): Promise<void>;
}

const defaultSegmentBytes = 16 * 1024 * 1024;
/** A full outbox gets room again by a segment at a time. */
const minSegments = 8;

/**
 * Takes the directory, recovers what is in it, and is ready to append. No damaged file prevents that.
 * @throws Error when the directory is in use or can't be written.
 */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const { dir, log } = options;
  const files = options.files ?? systemFiles;
  const lock = await files.lockDirectory(dir);
  try {
    const cursorFolder = join(dir, "cursors");
    await files.makeDirectory(cursorFolder);
    const damaged = await openDamagedFiles(join(dir, "damaged"), files, log);
    const recovered = await recover({ dir, cursorFolder, files, damaged, log });
    await removeUnusedCursors(options, files, cursorFolder, recovered);

    let damagedEvents = recovered.damagedEvents;
    const { segments } = recovered;
    const appender = createAppender({
      ...options,
      ...recovered,
      files,
      now: options.now ?? Date.now,
      segmentBytes:
        options.segmentBytes ?? Math.min(defaultSegmentBytes, Math.floor(options.maxBytes / minSegments)),
      cursors: () => cursors,
    });
    const cursors = options.outputs.map((output) => {
      const { position, borderEnd } = startingPoint(output, recovered, log);
      return createReader({
        output,
        files,
        segments,
        position,
        borderEnd,
        cursorFile: createCursorFile({
          files,
          outboxId: recovered.outboxId,
          folder: cursorFolder,
          output,
          generation: recovered.cursors.get(output)?.generation ?? 0,
        }),
        onDamage(segment, offset, bytes, first, end) {
          const lost = markDamaged(segment, first, end);
          if (lost === 0) return;
          damagedEvents += lost;
          log.error("outbox: damaged records stepped over", {
            segment: basename(segment.path),
            events: lost,
          });
          void damaged.keepBytes(basename(segment.path), offset, bytes);
        },
        onAcknowledged: () => void appender.removeDelivered(),
      });
    });
    const newestPath = await appender.start();
    if (newestPath !== undefined) await recovered.cleanUp(newestPath);
    for (const cursor of cursors)
      await cursor.start().catch((error: unknown) => {
        log.error("outbox: cannot write a cursor; it is tried again", {
          output: cursor.output,
          error: errorText(error),
        });
      });
    await appender.removeDelivered();

    return {
      id: recovered.outboxId,
      append: appender.append,
      problem: appender.problem,
      reader(output) {
        const cursor = cursors.find((candidate) => candidate.output === output);
        if (!cursor) throw new Error(`BUG: the outbox has no cursor for ${output}`);
        return cursor;
      },
      counts: () => ({
        ...appender.counts(),
        segments: segments.length,
        damagedEvents,
        droppedEvents: Object.fromEntries(
          cursors.map(({ output, droppedEvents }) => [output, droppedEvents]),
        ),
      }),
      async close() {
        await appender.close();
        for (const cursor of cursors) await cursor.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A cursor of an output that is no more would hold segments for good. */
async function removeUnusedCursors(
  { outputs, log }: OutboxOptions,
  files: FileLayer,
  folder: string,
  { cursors }: Recovered,
): Promise<void> {
  for (const [output, { position }] of cursors) {
    if (outputs.includes(output)) continue;
    log.warn("outbox: an output is not configured any more; its cursor is removed", { output, position });
    try {
      await files.remove(join(folder, cursorFileName(output)));
      await files.syncDirectory(folder);
    } catch (error) {
      log.warn("outbox: cannot remove a cursor", { output, error: errorText(error) });
    }
  }
}

/** Where an output goes on: at its cursor, or at the oldest event that is there. */
function startingPoint(
  output: string,
  { cursors, segments, keptEnd, nextSequence }: Recovered,
  log: Log,
): { position: number; borderEnd: number } {
  const oldest = segments[0]?.firstSequence ?? nextSequence;
  const cursor = cursors.get(output);
  if (!cursor) return { position: oldest, borderEnd: 0 };
  const { position, borderEnd } = cursor;
  if (position > keptEnd)
    log.warn("outbox: a cursor is beyond the last event; starting at the end", { output, position, keptEnd });
  if (position < oldest && segments.length > 0)
    log.warn("outbox: events were removed before this output had them", { output, position, oldest });
  return { position: Math.max(position, oldest), borderEnd };
}
