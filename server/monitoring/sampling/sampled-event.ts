import type { EventFields } from "../../event/event-fields.ts";

/** A kept event that the dashboard examined. */
export interface SampledEvent {
  /** The event's number among all events kept since the start, from 1. */
  readonly number: number;
  /** Its number among the sampled events, from 1, without gaps. */
  readonly ordinal: number;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly sensorId: string;
  /** The document as it is delivered, without a line break. */
  readonly line: Buffer;
  /** Long strings are truncated. */
  readonly fields: EventFields;
}

/**
 * A place between two events: after the event with this number. `ordinal` is the number of events sampled up to there, so
 * that the differences of two positions are the events kept and the events sampled between them.
 */
export interface EventPosition {
  readonly number: number;
  readonly ordinal: number;
}

/** The position before the first event. */
export const beginning: EventPosition = { number: 0, ordinal: 0 };

export function positionBefore({ number, ordinal }: SampledEvent): EventPosition {
  return { number: number - 1, ordinal: ordinal - 1 };
}

export function positionAfter({ number, ordinal }: SampledEvent): EventPosition {
  return { number, ordinal };
}

/** The event's document as JSON.parse returns it; undefined if it cannot be parsed, which no kept event should cause. */
export function documentOf(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString());
  } catch {
    // The event is shown as raw text, without fields. The dashboard must never disturb ingest.
    return undefined;
  }
}
