import type { EventPosition } from "../sampling/sampled-event.ts";
import type { TimeSlices } from "../sampling/time-slices.ts";
import type { EventFilter, FilterSources } from "./event-filter.ts";
import type { RecentEvents } from "./recent-events.ts";

export interface Search {
  readonly filter: EventFilter;
  readonly from: EventPosition;
  readonly to: EventPosition;
  /** The most ordinals to return. */
  readonly maxCount: number;
  /** True: all matching events are counted, not only as many as are returned. */
  readonly isCounted: boolean;
}

export interface NewestMatches {
  /** The ordinals of the newest matching events, ascending. */
  readonly ordinals: readonly number[];
  readonly matched: number;
  /** The number of events that were evicted before the search reached them. */
  readonly missed: number;
}

export interface Searched {
  readonly recentEvents: RecentEvents;
  readonly filterSources: FilterSources;
  readonly timeSlices: TimeSlices;
}

/** The clock is read after this many events. If documents are read it is read after each event, because they may be large. */
const eventsPerClockRead = 64;

/** Searches from the newest event to the oldest, in time slices. Meanwhile new events arrive and the oldest are evicted. */
export async function findNewestMatches(
  { recentEvents, filterSources, timeSlices }: Searched,
  { filter, from, to, maxCount, isCounted }: Search,
): Promise<NewestMatches> {
  const ordinals: number[] = [];
  let matched = 0;
  let nextOrdinal = to.ordinal;

  function searchSlice(until: number): boolean {
    const end = Math.max(from.ordinal, recentEvents.lastEvicted.ordinal);
    for (let examined = 1; nextOrdinal > end; examined++) {
      if (ordinals.length === maxCount) {
        if (!isCounted) return true;
        if (filter.isUnfiltered) break;
      }
      const event = recentEvents.at(nextOrdinal);
      if (event && filter.matches(event, filterSources)) {
        matched++;
        if (ordinals.length < maxCount) ordinals.push(nextOrdinal);
      }
      nextOrdinal--;
      const isClockReadDue = filter.readsDocuments || examined % eventsPerClockRead === 0;
      if (isClockReadDue && performance.now() >= until) return false;
    }
    if (nextOrdinal > end) matched += nextOrdinal - end;
    nextOrdinal = Math.min(nextOrdinal, end);
    return true;
  }

  await timeSlices.run(searchSlice);
  return { ordinals: ordinals.reverse(), matched, missed: Math.max(0, nextOrdinal - from.ordinal) };
}
