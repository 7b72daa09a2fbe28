import { type HistoryClock, systemHistoryClock } from "../history/counter-history.ts";
import type { ExaminedEvent } from "../sampling/sampled-event.ts";
import { AttackSlice } from "./attack-slice.ts";
import type { AttackWindow } from "./top-list.ts";

/*
 * What the events of the last 5 minutes, hour and day had in their fields, in slices of time: events are counted into
 * the open minute; a minute that is over is merged into the open 5 minutes, these into the open hour. A window is its
 * closed slices and whatever is open below: it reaches back its length and at most one slice more.
 *
 * An event belongs to the minute in which it was examined, milliseconds after it was kept. Minutes go by the monotonic
 * clock.
 */

export interface AttackRollups {
  note(event: ExaminedEvent): void;
  read(window: AttackWindow): WindowCounts;
}

export interface WindowCounts {
  /** Where the counts begin; milliseconds since the epoch. */
  readonly sinceAt: number;
  readonly counts: AttackSlice;
  /** Whether a place, by its key, was first seen in the last minute or two; never at the start, when all were. */
  isNewPlace(key: string | number): boolean;
}

const minuteMs = 60_000;
/** Minutes before the open one of which a place may be and still be new. */
const newMinutes = 1;

export function createAttackRollups(clock: HistoryClock = systemHistoryClock): AttackRollups {
  const hours = new Level(60, 24, undefined);
  const fiveMinutes = new Level(5, 12, hours);
  const minutes = new Level(1, 5, fiveMinutes);
  const levels: Record<AttackWindow, readonly Level[]> = {
    "5m": [minutes],
    "1h": [fiveMinutes, minutes],
    "24h": [hours, fiveMinutes, minutes],
  };
  const beganAt = clock.monotonic();
  let openMinute = 0;
  let open = minutes.sliceOf(0);
  /** All events up to this number are counted as kept. */
  let lastNumber = 0;

  function minuteNow(): number {
    return Math.floor((clock.monotonic() - beganAt) / minuteMs);
  }

  function roll(): void {
    const minute = minuteNow();
    if (minute === openMinute) return;
    minutes.closeBefore(minute);
    openMinute = minute;
    open = minutes.sliceOf(minute);
  }

  return {
    note({ number, fields }) {
      roll();
      // Those that were not looked at count with the next one that was.
      open.kept += number - lastNumber;
      lastNumber = number;
      open.add(fields);
    },

    read(window) {
      roll();
      const [widest, ...narrower] = levels[window];
      const counts = new AttackSlice(false);
      for (const slice of widest?.slices() ?? []) counts.merge(slice);
      for (const level of narrower) if (level.open) counts.merge(level.open);
      const recent = minutes.slices(openMinute - newMinutes);
      const firstMinute = Math.max(0, widest?.firstMinute(openMinute) ?? 0);
      const isWholeRecent = openMinute - newMinutes <= 0;
      const elapsedMs = clock.monotonic() - beganAt;
      return {
        sinceAt: Math.round(clock.now() - (elapsedMs - firstMinute * minuteMs)),
        counts,
        isNewPlace: (key) =>
          !isWholeRecent &&
          recent.reduce((sum, slice) => sum + slice.places.countOf(key), 0) >= counts.places.countOf(key),
      };
    },
  };
}

/** Slices of one length: the open one, and the closed ones as far as a window reaches back. */
class Level {
  readonly #sliceMinutes: number;
  readonly #maxClosed: number;
  readonly #next: Level | undefined;
  readonly #closed: { readonly index: number; readonly slice: AttackSlice }[] = [];
  #open: { readonly index: number; readonly slice: AttackSlice } | undefined;

  constructor(sliceMinutes: number, maxClosed: number, next: Level | undefined) {
    this.#sliceMinutes = sliceMinutes;
    this.#maxClosed = maxClosed;
    this.#next = next;
  }

  get open(): AttackSlice | undefined {
    return this.#open?.slice;
  }

  /** The open slice and the closed ones, or those of them that do not begin before a minute. */
  slices(fromMinute = Number.NEGATIVE_INFINITY): AttackSlice[] {
    const all = this.#open ? [...this.#closed, this.#open] : this.#closed;
    return all.filter(({ index }) => index * this.#sliceMinutes >= fromMinute).map(({ slice }) => slice);
  }

  /** The minute with which the window of all slices begins, whether there are any or not. */
  firstMinute(minute: number): number {
    return (this.#indexOf(minute) - this.#maxClosed) * this.#sliceMinutes;
  }

  /** The slice to count events of this minute into, which is open from then on. */
  sliceOf(minute: number): AttackSlice {
    this.closeBefore(minute);
    this.#open ??= { index: this.#indexOf(minute), slice: new AttackSlice() };
    return this.#open.slice;
  }

  /** Closes what is over at this minute, here and in the longer slices, and forgets what no window reaches. */
  closeBefore(minute: number): void {
    const index = this.#indexOf(minute);
    const open = this.#open;
    if (open && open.index < index) {
      open.slice.prune();
      this.#next?.sliceOf(open.index * this.#sliceMinutes).merge(open.slice);
      this.#closed.push(open);
      this.#open = undefined;
    }
    while (this.#closed[0] && this.#closed[0].index < index - this.#maxClosed) this.#closed.shift();
    this.#next?.closeBefore(minute);
  }

  #indexOf(minute: number): number {
    return Math.floor(minute / this.#sliceMinutes);
  }
}
