/** Events that were kept and can no longer be read. */
export interface DamagedRange {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

/** What is known about one segment. It takes the same memory for any number of pending events. */
export interface Segment {
  readonly path: string;
  readonly firstSequence: number;
  /** One past the last event that was kept in it. */
  endSequence: number;
  /** The frames before this offset are synced and may be read. */
  readableBytes: number;
  /** The size of the file: more than `readableBytes` if the end of a failed write could not be cut off. */
  sizeBytes: number;
  /** When its first readable event was received, in milliseconds since the epoch. */
  firstReceivedAt: number | undefined;
  /** Damage that was found at the start. Later damage stays pending until an output passes it (output-position.ts). */
  damagedRanges: readonly DamagedRange[];
}

/** A part of a segment whose events an output has passed without reading them. */
export interface Hole extends DamagedRange {
  readonly segment: Segment;
}

/** The number of events from `position` on that were readable at the start, or kept since. */
export function eventsFrom(segment: Segment, position: number): number {
  return eventsBetween(segment, position, segment.endSequence);
}

/** The number of events from `position` up to `end` that were readable at the start, or kept since. */
export function eventsBetween(segment: Segment, position: number, end: number): number {
  const first = Math.max(segment.firstSequence, position);
  const last = Math.min(segment.endSequence, end);
  if (last <= first) return 0;
  let damaged = 0;
  for (const range of segment.damagedRanges)
    damaged += Math.max(0, Math.min(last, range.end) - Math.max(first, range.first));
  return last - first - damaged;
}

/** Notes that these events cannot be read. @returns how many of them were not known to be damaged */
export function markDamaged(segment: Segment, first: number, end: number): number {
  const newlyDamaged = eventsBetween(segment, first, end);
  if (newlyDamaged === 0) return 0;
  // Ranges that it touches are merged with it, so that no event counts twice.
  const apart = segment.damagedRanges.filter((range) => range.end < first || range.first > end);
  const touching = segment.damagedRanges.filter((range) => !apart.includes(range));
  segment.damagedRanges = [
    ...apart,
    {
      first: Math.min(first, ...touching.map((range) => range.first)),
      end: Math.max(end, ...touching.map((range) => range.end)),
    },
  ];
  return newlyDamaged;
}

/** The events from `first` up to `end` that are in the segments and not among these. */
export function holesBetween(
  segments: readonly Segment[],
  first: number,
  end: number,
  events: readonly { readonly sequence: number }[],
): readonly Hole[] {
  const holes: Hole[] = [];
  let expected = first;
  const continueAt = (sequence: number, sequenceAfter: number) => {
    if (sequence > expected)
      for (const segment of segments)
        if (eventsBetween(segment, expected, sequence) > 0)
          holes.push({
            segment,
            first: Math.max(expected, segment.firstSequence),
            end: Math.min(sequence, segment.endSequence),
          });
    expected = Math.max(expected, sequenceAfter);
  };
  for (const { sequence } of events) continueAt(sequence, sequence + 1);
  continueAt(end, end);
  return holes;
}
