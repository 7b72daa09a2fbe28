import type { RuleMatches } from "./telemetry/ledger.ts";

/*
 * What the stages pass to each other: ingest → enrich → keep → observe. A stage knows the next one only by the types in
 * this file.
 */

/** The positions of one event and its parts: offsets into the body, -1 if a part is absent. */
export interface ScannedEvent {
  start: number;
  /** After the closing brace. */
  end: number;
  /** The opening brace of `source`. Of duplicate keys the last one counts, as in every common parser. */
  sourceStart: number;
  /** The closing brace of `source`: enrichment is inserted before it. */
  sourceEnd: number;
  /** The text of `source.ip` without its quotes; escapes are not decoded. */
  ipStart: number;
  ipEnd: number;
  /** `source` has an `as`, `geo` or `domain`, which enrichment merges with its own. */
  isSourceEnriched: boolean;
  /** The event has `tags`, which enrichment merges with its own. */
  hasTags: boolean;
}

export interface EnrichedEvents {
  /** Without the events that `[[ignore]]` rules removed; may be 0. */
  readonly eventCount: number;
  /**
   * One document per line, each ended by "\n". Nothing changes it until `keep` has settled. After that its memory is
   * reused (line-buffers.ts), so what is needed longer must be copied.
   */
  readonly lines: Buffer;
  /** The `[[ignore]]` rules that applied to events of the batch. They are counted when the batch is kept. */
  readonly matches: readonly RuleMatches[];
}

/**
 * Adds to each event what is known about its source, and applies the `[[ignore]]` rules. Never rejects because of an event's
 * content.
 */
export type EnrichBatch = (
  body: Buffer,
  events: readonly ScannedEvent[],
) => EnrichedEvents | Promise<EnrichedEvents>;

export interface EnrichedBatch extends Pick<EnrichedEvents, "eventCount" | "lines"> {
  readonly sensorId: string;
}

/**
 * Resolves when the batch is kept: synced to disk or written to stdout, so that the sensor may be answered 204. Rejects with
 * CannotKeep if it is not kept.
 */
export type KeepBatch = (batch: EnrichedBatch) => Promise<void>;

/**
 * Called for each batch after it is kept, before its memory is reused. Copies what it needs, is quick, and never throws.
 * @param ignoredEvents the number of events that `[[ignore]]` rules removed from it
 */
export type ObserveBatch = (batch: EnrichedBatch, ignoredEvents: number) => void;

/** The batch cannot be kept now, and nothing of it was kept. The reason is for the log and `/ready`. */
export class CannotKeep extends Error {
  override readonly name = "CannotKeep";
  constructor(
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}

/** One event as it is stored in the outbox. */
export interface StoredEvent {
  /** Never used twice in this outbox, ascending in the order of receipt. A torn or failed write leaves a gap. */
  readonly sequence: number;
  readonly sensorId: string;
  /** The time at which its batch was received, in milliseconds since the epoch. */
  readonly receivedAt: number;
  /** One JSON document, without a line break. */
  readonly document: Buffer;
}

/** Events that are delivered together. After a restart the same sequence numbers form the same batch again. */
export interface StoredBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** In order; fewer than last - first + 1 if some are damaged or sequence numbers have a gap. */
  readonly events: readonly StoredEvent[];
}

export interface BatchBounds {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** One output's view of the outbox: a cursor that moves over it batch by batch. */
export interface OutboxReader {
  /**
   * The next batch, of at least one event, however large; undefined if no event is pending. Its last sequence number is
   * on disk before this resolves, so the same batch is returned until it is acknowledged, even after a crash.
   */
  next(bounds: BatchBounds): Promise<StoredBatch | undefined>;
  /**
   * Moves the cursor past the batch, on disk: each of its events is delivered or a dead letter. `onMoved` is called in the
   * same turn of the event loop in which the events stop counting as pending, so that the caller can count them then.
   */
  acknowledge(batch: StoredBatch, onMoved?: () => void): Promise<void>;
  /**
   * Takes the batch back, on disk: the output has certainly received none of it. `next` then forms a new batch, which may
   * have more events.
   */
  takeBack(batch: StoredBatch): Promise<void>;
  /** Resolves when an event is pending that was not stored yet at the call, or when the signal aborts. */
  whenAppended(signal: AbortSignal): Promise<void>;
  /** The events that are not delivered to this output yet. */
  waiting(): {
    readonly events: number;
    readonly bytes: number;
    readonly oldestReceivedAt: number | undefined;
  };
}
