import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { BatchBounds, StoredEvent } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import { createDeadLetterAdmin, type DeadLetterAdmin } from "./admin.ts";
import { type DeadLetterCounts, zeroCounts } from "./counts.ts";
import { type Rejection, RejectionWriter } from "./rejection-writer.ts";
import { RequestServer } from "./request-server.ts";
import { DeadLetterStore } from "./store.ts";

/*
 * The events that an output rejected: `dead-letters-<output>.ndjson` in the outbox's directory. record.ts defines its lines.
 *
 * Only the process that delivers writes the file; it holds the lock of the outbox. Other processes read it, or write a
 * request (requests.ts) for the delivering process. So the file needs no lock of its own.
 *
 * Whole lines are appended, and synced before their batch is acknowledged. To remove lines (dropped records, a full file,
 * the end of a retry), a new file is written and renamed over the old one; a process that has the old file open reads it
 * to its end. After a crash, a last line without a line break is cut off: its batch was not acknowledged and is sent again.
 * If an event is rejected again for the same reason, no second record is written.
 *
 * Above `maxBytes` the oldest records are dropped, an eighth of the file at a time, counted and logged. Attackers often
 * choose which events are rejected; they must not be able to fill the disk or to block delivery. While lines are removed,
 * the disk needs room for a second file. If it has none, more of the oldest records are dropped.
 */

export type { DeadLetterCounts, Rejection };

/**
 * The dead letters of one output. Its delivery calls the methods that write, one after the other. Those of
 * `DeadLetterAdmin` may be called at any time.
 */
export interface DeadLetters extends DeadLetterAdmin {
  /**
   * Writes rejected events to the file and syncs it. Records that the file already has are not written again.
   * @throws Error when the disk fails
   */
  add(rejections: readonly Rejection[]): Promise<void>;
  /** Notes that these events were delivered by a retry. @throws Error when the disk fails */
  noteDelivered(sequences: readonly number[]): Promise<void>;
  /**
   * Serves requests: drops records, and returns the next events to send again, in order; undefined if there are none. Each
   * event is returned once per request, and remains a dead letter until `noteDelivered`. A request ends with the call
   * after the one that returned its last event.
   * @throws Error when the disk fails
   */
  nextRetry(bounds: BatchBounds): Promise<readonly StoredEvent[] | undefined>;
  /** The records in the file, and their size. */
  waiting(): { readonly events: number; readonly bytes: number };
  readonly counts: DeadLetterCounts;
  close(): Promise<void>;
}

export interface DeadLettersOptions {
  /** The outbox's directory. */
  readonly dir: string;
  /** The output's name. */
  readonly output: string;
  readonly log: Log;
  /** By default 64 MiB, or an eighth of the disk if that is less. */
  readonly maxBytes?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const defaultMaxBytes = 64 * 1024 * 1024;
const maxDiskShare = 1 / 8;

export function deadLettersPath(dir: string, output: string): string {
  return join(dir, `dead-letters-${output}.ndjson`);
}

/** Opens an output's dead letters. @throws Error when there is a file that cannot be read or written */
export async function openDeadLetters(options: DeadLettersOptions): Promise<DeadLetters> {
  const { dir, output, now = Date.now } = options;
  const maxBytes = options.maxBytes ?? (await maxBytesOnDisk(dir));
  const log = options.log.component("dead_letters");
  const path = deadLettersPath(dir, output);
  const counts = zeroCounts();
  const store = await DeadLetterStore.open({
    path,
    maxBytes,
    log,
    onOverflow(events) {
      counts.overflowedEvents += events;
      log.error("the dead-letter file is full; its oldest records are dropped", {
        output,
        events,
        max_bytes: maxBytes,
        path,
      });
    },
  });
  const writer = new RejectionWriter({ output, store, maxBytes, counts, log, now });
  const requests = new RequestServer({ dir, output, store, counts, log });
  return {
    ...createDeadLetterAdmin({ dir, output, store, log }),
    counts,
    add: (rejections) => writer.add(rejections),
    noteDelivered: (sequences) => writer.noteDelivered(sequences),
    nextRetry: (bounds) => requests.nextRetry(bounds),
    waiting: () => store.waiting(),
    close: () => store.close(),
  };
}

async function maxBytesOnDisk(dir: string): Promise<number> {
  // Some file systems do not know their size.
  const { blocks, bsize } = await statfs(dir).catch(() => ({ blocks: 0, bsize: 0 }));
  return Math.min(defaultMaxBytes, Math.floor(blocks * bsize * maxDiskShare) || defaultMaxBytes);
}
