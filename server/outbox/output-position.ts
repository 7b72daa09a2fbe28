import type { CursorState } from "./cursor-file.ts";
import { eventsBetween, eventsFrom, type Hole, holesBetween, type Segment } from "./segment.ts";

/** A position to return to if the cursor cannot be written. */
export interface PositionBefore extends CursorState {
  readonly drops: number;
}

/**
 * How far one output is: its position, the batch in flight, and the events that a full outbox dropped. It has no I/O. Each
 * method takes effect in one turn of the event loop, so at every moment each event that was kept for the output counts
 * exactly once: as delivered (by the caller), dropped, damaged or pending.
 */
export class OutputPosition implements CursorState {
  #position: number;
  #borderEnd: number;
  #droppedEvents = 0;
  #damagedEvents = 0;
  #undecidedEvents = 0;
  #drops = 0;

  constructor({ position, borderEnd }: CursorState) {
    this.#position = position;
    this.#borderEnd = borderEnd;
  }

  /** The first event that is not acknowledged. */
  get position(): number {
    return this.#position;
  }

  /** One past the last event of the batch in flight; at most `position` if no batch is in flight. */
  get borderEnd(): number {
    return this.#borderEnd;
  }

  /** Whether a batch with borders on disk begins at `position`. It must be handed out again with the same end. */
  get isInFlight(): boolean {
    return this.#borderEnd > this.#position;
  }

  /** Events that were removed before they were delivered, since the start. */
  get droppedEvents(): number {
    return this.#droppedEvents;
  }

  /** Events that were passed because they could not be read, since the start. Until then they are pending. */
  get damagedEvents(): number {
    return this.#damagedEvents;
  }

  /**
   * Events of the batch in flight whose segment was dropped. They stay pending until it is known whether the output
   * received the batch: then they are delivered, otherwise dropped.
   */
  get undecidedEvents(): number {
    return this.#undecidedEvents;
  }

  /** How often segments were dropped. If it changes during a read, what was read is out of date. */
  get drops(): number {
    return this.#drops;
  }

  /** Makes the events up to `last` the batch in flight. @returns what `undoHandOut` needs. */
  handOut(last: number): PositionBefore {
    const before = { position: this.#position, borderEnd: this.#borderEnd, drops: this.#drops };
    // A batch in flight keeps its end, even if its last events can no longer be read.
    if (!this.isInFlight) this.#borderEnd = last + 1;
    return before;
  }

  /** Undoes `handOut`, unless segments were dropped since: then the position has moved on. */
  undoHandOut({ position, borderEnd, drops }: PositionBefore): void {
    if (drops !== this.#drops) return;
    this.#position = position;
    this.#borderEnd = borderEnd;
  }

  /** No batch is in flight any more. The position stays. */
  forgetBorder(): void {
    this.#borderEnd = 0;
  }

  /** Moves to `end`, past events none of which can be read. @returns where they are */
  skipTo(end: number, segments: readonly Segment[]): readonly Hole[] {
    return this.#passTo(end, segments, []);
  }

  /**
   * Moves to `end`, past a batch that was delivered; no batch is in flight then. The caller counts its events as delivered.
   * Other events before `end` are damaged.
   * @param events the events of the batch, in order
   * @returns where the damaged events are
   */
  acknowledge(
    events: readonly { readonly sequence: number }[],
    end: number,
    segments: readonly Segment[],
  ): readonly Hole[] {
    // Events of the batch before the position are among the undecided ones. The others could not be read in time.
    const firstKept = events.findIndex(({ sequence }) => sequence >= this.#position);
    this.#droppedEvents += this.#undecidedEvents - (firstKept === -1 ? events.length : firstKept);
    this.#undecidedEvents = 0;
    if (end < this.#position) return [];
    this.#borderEnd = 0;
    return this.#passTo(end, segments, firstKept === -1 ? [] : events.slice(firstKept));
  }

  /** The undecided events did not reach the output and cannot be read again. */
  countUndecidedAsDropped(): void {
    this.#droppedEvents += this.#undecidedEvents;
    this.#undecidedEvents = 0;
  }

  /**
   * Moves to `firstKept`, because all events before it are about to be removed.
   * @param segments the segments in order, those about to be removed included
   * @param handedOutEnd one past the last event that the caller holds in a batch; 0 if it holds none
   * @returns whether that changed the position
   */
  dropBefore(firstKept: number, segments: readonly Segment[], handedOutEnd: number): boolean {
    if (this.#position >= firstKept) return false;
    for (const segment of segments) {
      if (segment.firstSequence >= firstKept) break;
      const undecided = eventsBetween(segment, this.#position, handedOutEnd);
      this.#undecidedEvents += undecided;
      this.#droppedEvents += eventsFrom(segment, this.#position) - undecided;
    }
    this.#position = firstKept;
    this.#drops++;
    return true;
  }

  #passTo(
    end: number,
    segments: readonly Segment[],
    events: readonly { readonly sequence: number }[],
  ): readonly Hole[] {
    const holes = holesBetween(segments, this.#position, end, events);
    for (const hole of holes) this.#damagedEvents += eventsBetween(hole.segment, hole.first, hole.end);
    this.#position = end;
    return holes;
  }
}
