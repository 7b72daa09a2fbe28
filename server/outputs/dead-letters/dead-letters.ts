import { join } from "node:path";
import type { BatchBounds, StoredEvent } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import { createDeadLetterAdmin, type DeadLetterAdmin } from "./admin.ts";
import { maxLineBytes } from "./file.ts";
import { deliveredLine, letterLine } from "./record.ts";
import { createRequestQueue, type DeadLetterRequest, removeRequest } from "./requests.ts";
import { type LetterLine, openDeadLetterStore } from "./store.ts";

/*
 * The events that an output refused for good: `dead-letters-<output>.ndjson` in the outbox's directory, the lines of
 * letter.ts.
 *
 * One process writes it, the one that delivers and holds the outbox's lock. Everybody else reads, or leaves a request
 * (requests.ts) for that process; so the file needs no lock of its own, and none can be left behind.
 *
 * The file only grows by whole lines, each synced before its batch is acknowledged. Whatever takes lines away (dropped,
 * full, a retry that is through) writes a new file and renames it over the old one; who reads meanwhile reads the old
 * one to its end. After a crash a last line without its line break is cut off: its batch was not acknowledged and comes
 * again. A batch that comes again adds no second letter with the same number and reason.
 *
 * Past `maxBytes` the oldest letters are dropped, an eighth of the file at a time, counted and logged: what is refused is
 * often chosen by whoever attacks the sensors, and must neither fill the disk nor hold up everything behind it. A
 * rewrite needs room for a second file until the old one is gone.
 */

export interface Rejection {
  readonly event: StoredEvent;
  /** As the output gave it. */
  readonly reason: string;
}

/** The dead letters of one output. Its methods that write are called one after another, by its delivery; those of the desk by anyone, at any time. */
export interface DeadLetters extends DeadLetterAdmin {
  /** Puts them on disk, synced, each sequence number once. @throws Error when the disk does not take them */
  add(refused: readonly Rejection[]): Promise<void>;
  /** These got in after all. @throws Error when the disk does not take the note */
  noteDelivered(sequences: readonly number[]): Promise<void>;
  /**
   * Serves the requests of `loom dead-letters` and of the desk: drops what is to be dropped, and gives the next events that are to be
   * sent again, in order; undefined when there are none. Each event comes once a request. They stay dead letters until
   * `noteDelivered`; a request is over once all of them were given out and this is called again.
   */
  nextRetry(bounds: BatchBounds): Promise<readonly StoredEvent[] | undefined>;
  waiting(): { readonly events: number; readonly bytes: number };
  /** Since the start. */
  readonly counts: DeadLetterCounts;
  close(): Promise<void>;
}

export interface DeadLetterCounts {
  readonly addedEvents: number;
  /** Delivered later. */
  readonly deliveredEvents: number;
  /** By an operator. */
  readonly droppedEvents: number;
  /** Because the file was full: lost. */
  readonly overflowedEvents: number;
}

export interface DeadLettersOptions {
  /** The outbox's directory. */
  readonly dir: string;
  /** The output's name. */
  readonly output: string;
  readonly log: Log;
  readonly maxBytes?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const defaultMaxBytes = 64 * 1024 * 1024;
/** The output's answers are attacker's text in part. */
const maxReasonLength = 2000;

export function deadLettersPath(dir: string, output: string): string {
  return join(dir, `dead-letters-${output}.ndjson`);
}

/** Opens or begins an output's dead letters. @throws Error when the file is there and can't be read or written */
export async function openDeadLetters(options: DeadLettersOptions): Promise<DeadLetters> {
  const { dir, output, log, maxBytes = defaultMaxBytes, now = Date.now } = options;
  const path = deadLettersPath(dir, output);
  const counts = { addedEvents: 0, deliveredEvents: 0, droppedEvents: 0, overflowedEvents: 0 };
  const requests = createRequestQueue(dir, output, log);
  const store = await openDeadLetterStore({
    path,
    maxBytes,
    log,
    onOverflow: (letters) => noteOverflow(letters, "the oldest are dropped"),
  });
  let retry: { readonly request: DeadLetterRequest; at: number } | undefined;

  function noteOverflow(events: number, what: string): void {
    counts.overflowedEvents += events;
    log.error(`dead letters are full: ${what}`, { output, events, max_bytes: maxBytes, path });
  }

  async function isKnown({ event, reason }: Rejection): Promise<boolean> {
    // One that can't be read is as good as none.
    const known = await store.read(event.sequence).catch(() => undefined);
    return known?.reason === reason;
  }

  async function serveDrop(request: DeadLetterRequest): Promise<void> {
    const dropped = request.sequences.filter((sequence) => store.forget(sequence));
    counts.droppedEvents += dropped.length;
    await store.rewriteWithoutWaste();
    await removeRequest(request);
    log.info("dead letters dropped on request", { output, events: dropped.length });
  }

  /** The request's next letters that are still there; none once it is through. */
  async function takeLetters(
    current: NonNullable<typeof retry>,
    bounds: BatchBounds,
  ): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    const { sequences } = current.request;
    for (let bytes = 0; current.at < sequences.length && events.length < bounds.maxEvents; current.at++) {
      const letter = await store.read(sequences[current.at] ?? -1).catch((error: Error) => {
        log.error("cannot read a dead letter; it stays where it is", { path, error: error.message });
        return undefined;
      });
      if (!letter) continue;
      bytes += letter.event.document.length;
      if (events.length > 0 && bytes > bounds.maxBytes) break;
      events.push(letter.event);
    }
    return events;
  }

  return {
    ...createDeadLetterAdmin({ dir, output, store, log }),
    counts,
    waiting: store.waiting,

    async add(refused) {
      const lines: LetterLine[] = [];
      let oversizedLetters = 0;
      for (const { event, reason } of refused) {
        const refusal = { event, reason: cut(reason) };
        if (await isKnown(refusal)) continue;
        const line = letterLine({ ...refusal, output, time: now() });
        if (line.length > Math.min(maxBytes, maxLineBytes)) oversizedLetters++;
        else lines.push({ sequence: event.sequence, line });
      }
      const newLetters = lines.filter(({ sequence }) => !store.has(sequence)).length;
      if (lines.length > 0) await store.addLetters(lines);
      counts.addedEvents += newLetters;
      if (oversizedLetters > 0)
        noteOverflow(oversizedLetters, "what is larger than the file may be is dropped");
    },

    async noteDelivered(sequences) {
      const known = sequences.filter(store.has);
      if (known.length === 0) return;
      const line = deliveredLine(known, now());
      const hasRoom = store.hasRoomFor(line.length);
      if (hasRoom) await store.addNote(line);
      for (const sequence of known) store.forget(sequence);
      counts.deliveredEvents += known.length;
      // No letter is thrown out to make room for a note: a file without them says the same.
      if (!hasRoom) await store.rewriteWithoutWaste();
    },

    async nextRetry(bounds) {
      for (;;) {
        if (!retry) {
          const request = await requests.next();
          if (!request) return undefined;
          if (request.action === "drop") {
            await serveDrop(request);
            continue;
          }
          retry = { request, at: 0 };
        }
        const events = await takeLetters(retry, bounds);
        if (events.length > 0) return events;
        await store.rewriteWithoutWaste();
        await removeRequest(retry.request);
        retry = undefined;
      }
    },

    close: store.close,
  };
}

function cut(reason: string): string {
  return reason.length <= maxReasonLength ? reason : `${reason.slice(0, maxReasonLength)}…`;
}
