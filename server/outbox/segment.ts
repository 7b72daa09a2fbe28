/** Events that were kept and can't be read any more. */
interface DamagedRange {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

/** What is known in memory of one segment. Its size does not depend on how many events wait. */
export interface Segment {
  readonly path: string;
  readonly firstSequence: number;
  /** One past the last event that was kept in it. */
  endSequence: number;
  /** Up to here its frames are synced and may be read. */
  readableBytes: number;
  /** What the file takes on the disk: more than `readableBytes` where a cut failed. */
  sizeBytes: number;
  firstReceivedAt: number | undefined;
  damagedRanges: readonly DamagedRange[];
}

/** How many events from `position` on can be read from it, as far as is known. */
export function eventsFrom(segment: Segment, position: number): number {
  return eventsBetween(segment, position, segment.endSequence);
}

/** How many events from `position` up to `end` can be read from it, as far as is known. */
export function eventsBetween(segment: Segment, position: number, end: number): number {
  const first = Math.max(segment.firstSequence, position);
  const last = Math.min(segment.endSequence, end);
  if (last <= first) return 0;
  let lost = 0;
  for (const range of segment.damagedRanges)
    lost += Math.max(0, Math.min(last, range.end) - Math.max(first, range.first));
  return last - first - lost;
}

/** Notes that these events can't be read. @returns how many of them were not known to be lost. */
export function markDamaged(segment: Segment, first: number, end: number): number {
  const newlyDamaged = eventsBetween(segment, first, end);
  if (newlyDamaged === 0) return 0;
  // Whatever it overlaps is swallowed, so that none is counted twice.
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
