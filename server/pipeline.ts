/*
 * What the stages hand to each other: ingest → enrich → keep, and watch what was kept. A stage knows the next one only by what stands here.
 */

/** Where things are in one event: offsets into the body, -1 when absent. */
export interface ScannedEvent {
  start: number;
  /** After the closing brace. */
  end: number;
  /** The opening brace of `source`. With duplicate keys the last one counts, as for every common parser. */
  sourceStart: number;
  /** The closing brace of `source`: enrichment is inserted before it. */
  sourceEnd: number;
  /** The text of `source.ip`, without its quotes, escapes as they are. */
  ipStart: number;
  ipEnd: number;
  /** `source` has an `as`, `geo` or `domain` of its own, to be merged with. */
  isSourceEnriched: boolean;
}

/**
 * Adds what is known of each event's source; never rejects for an event's content.
 * @returns one document a line, in order, each line ended by "\n".
 */
export type EnrichBatch = (body: Buffer, events: readonly ScannedEvent[]) => Buffer | Promise<Buffer>;

export interface EnrichedBatch {
  readonly sensorId: string;
  readonly eventCount: number;
  /**
   * One document a line, each ended by "\n". Not changed by anyone until `keep` has settled; then the memory is used
   * again (line-buffers.ts), so what is needed longer must be copied.
   */
  readonly lines: Buffer;
}

/** Resolves when the batch is kept (contract: 204 means kept); rejects with CannotKeep when it is not. */
export type KeepBatch = (batch: EnrichedBatch) => Promise<void>;

/** Told of each batch once it is kept, before its memory is used again; copies what it needs, is quick, never throws. */
export type WatchBatch = (batch: EnrichedBatch) => void;

/** The batch can't be kept now, and nothing of it was; the reason is for the log, `/ready` and metrics. */
export class CannotKeep extends Error {
  override readonly name = "CannotKeep";
  constructor(
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}

/** One event as it lies in the outbox. */
export interface StoredEvent {
  /** Unique in this outbox for good, in the order of receipt; a cut or a failed write leaves a gap. */
  readonly sequence: number;
  readonly sensorId: string;
  /** When its batch was received; milliseconds since the epoch. */
  readonly receivedAt: number;
  /** One JSON document, without a line break. */
  readonly document: Buffer;
}

/** Events that are delivered together. The same sequence numbers make the same batch again after a restart. */
export interface StoredBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** In order; fewer than last - first + 1 where damaged ones were set aside. */
  readonly events: readonly StoredEvent[];
}

export interface BatchBounds {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** One output's view of the outbox: a cursor that moves over it batch by batch. */
export interface OutboxReader {
  /**
   * The next batch, or undefined when nothing waits. Its border is on disk before this resolves, so the same batch
   * comes again until it is acknowledged, also after a crash. At least one event, however large.
   */
  next(bounds: BatchBounds): Promise<StoredBatch | undefined>;
  /**
   * Every event of the batch is delivered or set aside: the cursor moves past it, on disk. `onMoved` is called in the turn
   * in which the events stop counting as waiting, so that whoever counts them can do it there.
   */
  acknowledge(batch: StoredBatch, onMoved?: () => void): Promise<void>;
  /** Resolves once something waits that was not there at the call, or when the signal aborts. */
  whenAppended(signal: AbortSignal): Promise<void>;
  /** What this output has not got yet. */
  waiting(): {
    readonly events: number;
    readonly bytes: number;
    readonly oldestReceivedAt: number | undefined;
  };
}
