import type { EventFields } from "./event-fields.ts";

/** What the dashboard knows of one kept event. */
export interface ExaminedEvent {
  /** Counts all events kept since the start, from 1. */
  readonly number: number;
  /** Counts the examined ones, from 1: consecutive. */
  readonly ordinal: number;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly sensorId: string;
  /** The document as it is delivered, without a line break. */
  readonly line: Buffer;
  /** Strings are cut to bounds. */
  readonly fields: EventFields;
}

/**
 * A place between two events: after the one with this number. `ordinal` says how many up to there were examined, so
 * that of two positions the differences are the events kept and the events examined between them.
 */
export interface EventPosition {
  readonly number: number;
  readonly ordinal: number;
}

/** Before the first event. */
export const beginning: EventPosition = { number: 0, ordinal: 0 };

export function positionBefore({ number, ordinal }: ExaminedEvent): EventPosition {
  return { number: number - 1, ordinal: ordinal - 1 };
}

export function positionAfter({ number, ordinal }: ExaminedEvent): EventPosition {
  return { number, ordinal };
}

/** Its document as JSON.parse makes it; undefined where that can't be had, which no event that was kept should be. */
export function documentOf(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString());
  } catch {
    // Nothing is known of it then, and it is shown as it is: whoever watches must never be in the way.
    return undefined;
  }
}
