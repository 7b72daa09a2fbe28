import { Chronicle } from "../history/chronicle.ts";
import type { Pause } from "../history/series.ts";
import type { SampledEvent } from "../sampling/sampled-event.ts";
import type { Change, SavedEntries } from "../saved-state/saved-entries.ts";
import { AttackSlice } from "./attack-slice.ts";
import { RollupLevel } from "./rollup-level.ts";
import type { AttackWindow } from "./top-list.ts";

export interface WindowCounts {
  /** When the window begins: its length ago, or at the first start of Loom. Milliseconds since the epoch. */
  readonly sinceAt: number;
  /** False if Loom was started for the first time within the window. */
  readonly isWhole: boolean;
  /** The times in the window in which Loom did not run. */
  readonly pauses: readonly Pause[];
  readonly counts: AttackSlice;
  /**
   * True if the place with this key was first seen in the last minute or two. Never true in the first minutes after the
   * first start, when every place is new.
   */
  isNewPlace(key: string | number): boolean;
}

const minuteMs = 60_000;
/** The number of closed minutes that count as recent, besides the open one. */
const recentMinutes = 1;

/**
 * The fields of the events of the last 5 minutes, hour, day, week and month, counted in slices of time. Events are counted in
 * the open minute. A minute that is over is merged into the open slice of 5 minutes, that one into the open hour, and that one
 * into the open day. A window consists of its closed slices and the open slices below: it covers its length and at most one
 * slice more.
 *
 * An event belongs to the minute in which it is examined, milliseconds after it was kept. Minutes are those of the chronicle.
 */
export class AttackRollups {
  readonly #chronicle: Chronicle;
  readonly #days = new RollupLevel(1440, 30, undefined);
  readonly #hours = new RollupLevel(60, 24, this.#days);
  readonly #fiveMinutes = new RollupLevel(5, 12, this.#hours);
  readonly #minutes = new RollupLevel(1, 5, this.#fiveMinutes);
  /** From wide to narrow. */
  readonly #levels = [this.#days, this.#hours, this.#fiveMinutes, this.#minutes];
  /** The level whose slices make up a window, and the number of its closed slices. */
  readonly #windows: Readonly<
    Record<AttackWindow, { readonly widest: RollupLevel; readonly closed: number }>
  > = {
    "5m": { widest: this.#minutes, closed: 5 },
    "1h": { widest: this.#fiveMinutes, closed: 12 },
    "24h": { widest: this.#hours, closed: 24 },
    "7d": { widest: this.#days, closed: 7 },
    "30d": { widest: this.#days, closed: 30 },
  };
  #openMinute: number;
  #open: AttackSlice;
  /** All events up to this number are counted as kept. */
  #lastNumber = 0;

  constructor(chronicle = new Chronicle(), saved?: SavedEntries) {
    this.#chronicle = chronicle;
    if (saved) for (const level of this.#levels) level.restore(saved);
    this.#openMinute = this.#minuteNow();
    this.#open = this.#minutes.sliceOf(this.#openMinute);
  }

  note({ number, fields }: SampledEvent): void {
    this.#closeOldSlices();
    // The events since the last sampled one were not sampled; they are counted as kept together with this one.
    this.#open.kept += number - this.#lastNumber;
    this.#lastNumber = number;
    this.#open.add(fields);
  }

  read(window: AttackWindow): WindowCounts {
    this.#closeOldSlices();
    const chronicle = this.#chronicle;
    const { widest, closed } = this.#windows[window];
    const firstMinute = widest.firstMinute(this.#openMinute, closed);
    const counts = new AttackSlice(false);
    for (const slice of widest.slices(firstMinute)) counts.merge(slice);
    for (const { open } of this.#levels.slice(this.#levels.indexOf(widest) + 1)) if (open) counts.merge(open);
    const recent = this.#minutes.slices(this.#openMinute - recentMinutes);
    const isAllRecent = (this.#openMinute - recentMinutes) * minuteMs <= chronicle.firstMs;
    const sinceMs = Math.max(chronicle.firstMs, firstMinute * minuteMs);
    return {
      sinceAt: chronicle.timeOf(sinceMs),
      isWhole: chronicle.firstMs <= firstMinute * minuteMs,
      pauses: chronicle.pausesSince(sinceMs),
      counts,
      isNewPlace: (key) =>
        !isAllRecent &&
        recent.reduce((sum, slice) => sum + slice.places.countOf(key), 0) >= counts.places.countOf(key),
    };
  }

  *changes(): Iterable<Change> {
    this.#closeOldSlices();
    // At once: a slice must not be closed between being saved and the one that it is merged into being saved.
    yield* this.#levels.flatMap((level) => [...level.changes(this.#openMinute)]);
  }

  #closeOldSlices(): void {
    const minute = this.#minuteNow();
    if (minute === this.#openMinute) return;
    this.#minutes.closeBefore(minute);
    this.#openMinute = minute;
    this.#open = this.#minutes.sliceOf(minute);
  }

  #minuteNow(): number {
    return Math.floor(this.#chronicle.elapsedMs / minuteMs);
  }
}
