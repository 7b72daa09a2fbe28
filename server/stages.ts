/*
 * What the stages hand to each other: ingest → enrich → keep. A stage knows the next one only by what stands here.
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
  /** One document a line, each ended by "\n". Not changed any more by anyone. */
  readonly lines: Buffer;
}

/** Resolves when the batch is kept (contract: 204 means kept); rejects with CannotKeep when it is not. */
export type KeepBatch = (batch: EnrichedBatch) => Promise<void>;

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
