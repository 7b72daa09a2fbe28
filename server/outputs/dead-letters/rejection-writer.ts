import type { StoredEvent } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import { truncate } from "../../text/truncate.ts";
import type { MutableCounts } from "./counts.ts";
import { maxLineBytes } from "./file.ts";
import { deliveredLine, recordLine } from "./record.ts";
import type { DeadLetterStore, RecordLine } from "./store.ts";

/** An event that an output rejected. */
export interface Rejection {
  readonly event: StoredEvent;
  /** In the output's own words. */
  readonly reason: string;
}

export interface RejectionWriterOptions {
  readonly output: string;
  readonly store: DeadLetterStore;
  readonly maxBytes: number;
  readonly counts: MutableCounts;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Longer reasons are cut, in characters: attackers write parts of what an output answers. */
const maxReasonLength = 2000;

/** Writes to one output's dead-letter file what became of events: rejected, or delivered by a retry. */
export class RejectionWriter {
  readonly #options: RejectionWriterOptions;

  constructor(options: RejectionWriterOptions) {
    this.#options = options;
  }

  /** As `DeadLetters.add`. */
  async add(rejections: readonly Rejection[]): Promise<void> {
    const { output, store, maxBytes, counts, log, now } = this.#options;
    const lines: RecordLine[] = [];
    let oversized = 0;
    for (const { event, reason: fullReason } of rejections) {
      const reason = truncate(fullReason, maxReasonLength);
      if (await this.#isWritten(event.sequence, reason)) continue;
      const line = recordLine({ event, reason, output, time: now() });
      if (line.length > Math.min(maxBytes, maxLineBytes)) oversized++;
      else lines.push({ sequence: event.sequence, line });
    }
    const added = lines.filter(({ sequence }) => !store.has(sequence)).length;
    if (lines.length > 0) await store.addRecords(lines);
    counts.addedEvents += added;
    if (oversized === 0) return;
    counts.overflowedEvents += oversized;
    log.error("rejected events are larger than the dead-letter file may be; they are dropped", {
      output,
      events: oversized,
      max_bytes: maxBytes,
    });
  }

  /** As `DeadLetters.noteDelivered`. */
  async noteDelivered(sequences: readonly number[]): Promise<void> {
    const { store, counts, now } = this.#options;
    const known = sequences.filter((sequence) => store.has(sequence));
    if (known.length === 0) return;
    const line = deliveredLine(known, now());
    const hasRoom = store.hasRoomFor(line.length);
    if (hasRoom) await store.addNote(line);
    for (const sequence of known) store.forget(sequence);
    counts.deliveredEvents += known.length;
    // In a full file a note would cost other records their place. Without the delivered records no note is needed.
    if (!hasRoom) await store.removeUnusedLines();
  }

  /** A record that cannot be read is written again. */
  async #isWritten(sequence: number, reason: string): Promise<boolean> {
    const record = await this.#options.store.read(sequence).catch(() => undefined);
    return record?.reason === reason;
  }
}
