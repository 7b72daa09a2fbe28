/** What happened to dead letters since the start, in events. */
export interface DeadLetterCounts {
  /** Written to the file. An event that is rejected again is not counted again. */
  readonly addedEvents: number;
  /** Delivered by a retry. */
  readonly deliveredEvents: number;
  /** Dropped by an operator. */
  readonly droppedEvents: number;
  /** Dropped because the file was full, or because one event was larger than the file may be. */
  readonly overflowedEvents: number;
}

/** The counts as the parts of this folder write them. */
export type MutableCounts = { -readonly [Name in keyof DeadLetterCounts]: number };

export function zeroCounts(): MutableCounts {
  return { addedEvents: 0, deliveredEvents: 0, droppedEvents: 0, overflowedEvents: 0 };
}
