import {
  beginning,
  type EventPosition,
  type ExaminedEvent,
  positionAfter,
} from "../sampling/sampled-event.ts";

/** The examined events of late, as many as the bounds allow; the oldest go first. */
export interface RecentEvents {
  /** Takes the next one: its ordinal follows the last one's. */
  add(event: ExaminedEvent): void;
  /** After the last event that is not here any more. */
  readonly gone: EventPosition;
  readonly count: number;
  /** Of their lines, and what they take up beside. */
  readonly bytes: number;
  /** undefined: not here, or no such event. */
  at(ordinal: number): ExaminedEvent | undefined;
  byNumber(number: number): ExaminedEvent | undefined;
  /** The position after the event of that number, which may be one that was not examined; not before `gone`. */
  positionAt(number: number): EventPosition;
}

export interface RecentEventsOptions {
  readonly maxBytes: number;
  readonly maxCount?: number;
}

const defaultMaxCount = 50_000;

/** What an event takes up beside its line: objects, field values, a view of its bytes; 600 measured, and room. */
const overheadBytes = 768;

export function createRecentEvents({
  maxBytes,
  maxCount = defaultMaxCount,
}: RecentEventsOptions): RecentEvents {
  /** The event of an ordinal is at `ordinal % maxCount`. */
  const slots: (ExaminedEvent | undefined)[] = [];
  let gone = beginning;
  let last = 0;
  let bytes = 0;

  function at(ordinal: number): ExaminedEvent | undefined {
    return ordinal > gone.ordinal && ordinal <= last ? slots[ordinal % maxCount] : undefined;
  }

  function removeOldest(): void {
    const oldest = at(gone.ordinal + 1);
    if (!oldest) return;
    slots[oldest.ordinal % maxCount] = undefined;
    bytes -= oldest.line.length + overheadBytes;
    gone = positionAfter(oldest);
  }

  /** The ordinal of the last event whose number is not above this one. */
  function ordinalAt(number: number): number {
    let below = gone.ordinal;
    let above = last + 1;
    while (above - below > 1) {
      const middle = Math.floor((below + above) / 2);
      if ((at(middle)?.number ?? Number.POSITIVE_INFINITY) <= number) below = middle;
      else above = middle;
    }
    return below;
  }

  return {
    get gone() {
      return gone;
    },
    get count() {
      return last - gone.ordinal;
    },
    get bytes() {
      return bytes;
    },
    add(event) {
      if (last - gone.ordinal === maxCount) removeOldest();
      slots[event.ordinal % maxCount] = event;
      last = event.ordinal;
      bytes += event.line.length + overheadBytes;
      // The newest one stays, however large it is.
      while (bytes > maxBytes && last - gone.ordinal > 1) removeOldest();
    },
    at,
    byNumber(number) {
      const event = at(ordinalAt(number));
      return event?.number === number ? event : undefined;
    },
    positionAt: (number) => ({ number, ordinal: ordinalAt(number) }),
  };
}
