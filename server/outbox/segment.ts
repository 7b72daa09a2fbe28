/** Events that were kept and can no longer be read. */
interface DamagedRange {
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
  damagedRanges: readonly DamagedRange[];
}

/** The number of readable events from `position` on. Damage that nobody has found yet is not known here. */
export function eventsFrom(segment: Segment, position: number): number {
  return eventsBetween(segment, position, segment.endSequence);
}

/** The number of readable events from `position` up to `end`. */
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
