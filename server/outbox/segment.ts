/** Events that were kept and can't be read any more. */
interface Hole {
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
  holes: readonly Hole[];
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
  for (const hole of segment.holes)
    lost += Math.max(0, Math.min(last, hole.end) - Math.max(first, hole.first));
  return last - first - lost;
}

/** Notes that these events can't be read. @returns how many of them were not known to be lost. */
export function addHole(segment: Segment, first: number, end: number): number {
  const newlyLost = eventsBetween(segment, first, end);
  if (newlyLost === 0) return 0;
  // Whatever it overlaps is swallowed, so that none is counted twice.
  const apart = segment.holes.filter((hole) => hole.end < first || hole.first > end);
  const touching = segment.holes.filter((hole) => !apart.includes(hole));
  segment.holes = [
    ...apart,
    {
      first: Math.min(first, ...touching.map((hole) => hole.first)),
      end: Math.max(end, ...touching.map((hole) => hole.end)),
    },
  ];
  return newlyLost;
}
