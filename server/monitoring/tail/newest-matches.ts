import type { EventPosition } from "../sampling/sampled-event.ts";
import type { Turns } from "../sampling/time-slices.ts";
import { type EventFilter, isUnfiltered, matches } from "./event-filter.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { SearchTexts } from "./search-texts.ts";

export interface Search {
  readonly filter: EventFilter;
  readonly from: EventPosition;
  readonly to: EventPosition;
  /** Of the ordinals that are wanted. */
  readonly maxCount: number;
  /** All matching ones are counted, not only as many as are wanted. */
  readonly isCounted: boolean;
}

export interface NewestMatches {
  /** Of the newest matching ones, ascending. */
  readonly ordinals: readonly number[];
  readonly matched: number;
  /** Gone before they were looked at. */
  readonly missed: number;
}

export interface Searched {
  readonly recentEvents: RecentEvents;
  readonly searchTexts: SearchTexts;
  readonly turns: Turns;
}

/** After so many the clock is looked at; with a text after each, for they may be large. */
const eventsPerLook = 64;

/** Looks from the newest event to the oldest, in turns: meanwhile new ones come, and the oldest go. */
export async function findNewestMatches(
  { recentEvents, searchTexts, turns }: Searched,
  { filter, from, to, maxCount, isCounted }: Search,
): Promise<NewestMatches> {
  const isAny = isUnfiltered(filter);
  const ordinals: number[] = [];
  let matched = 0;
  /** This one is next. */
  let ordinal = to.ordinal;
  const lastGone = () => Math.max(from.ordinal, recentEvents.gone.ordinal);

  function look(until: number): boolean {
    const end = lastGone();
    for (let looked = 1; ordinal > end; looked++) {
      if (ordinals.length === maxCount) {
        if (!isCounted) return true;
        if (isAny) break;
      }
      const event = recentEvents.at(ordinal);
      if (event && matches(filter, event.sensorId, event.fields, () => searchTexts.of(event))) {
        matched++;
        if (ordinals.length < maxCount) ordinals.push(ordinal);
      }
      ordinal--;
      const isLookDue = filter.text !== undefined || looked % eventsPerLook === 0;
      if (isLookDue && performance.now() >= until) return false;
    }
    if (ordinal > end) matched += ordinal - end;
    ordinal = Math.min(ordinal, end);
    return true;
  }

  await turns.run(look);
  return { ordinals: ordinals.reverse(), matched, missed: Math.max(0, ordinal - from.ordinal) };
}
