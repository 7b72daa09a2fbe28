import { type HistoryClock, systemHistoryClock } from "../history/counter-history.ts";
import type { SampledEvent } from "../sampling/sampled-event.ts";
import { AttackSlice } from "./attack-slice.ts";
import { RollupLevel } from "./rollup-level.ts";
import type { AttackWindow } from "./top-list.ts";

export interface WindowCounts {
  /** When the window begins; milliseconds since the epoch. */
  readonly sinceAt: number;
  readonly counts: AttackSlice;
  /**
   * True if the place with this key was first seen in the last minute or two. Never true in the first minutes after the
   * start, when every place is new.
   */
  isNewPlace(key: string | number): boolean;
}

const minuteMs = 60_000;
/** The number of closed minutes that count as recent, besides the open one. */
const recentMinutes = 1;

/**
 * The fields of the events of the last 5 minutes, hour and day, counted in slices of time. Events are counted in the open
 * minute. A minute that is over is merged into the open slice of 5 minutes, and that one into the open hour. A window
 * consists of its closed slices and the open slices below: it covers its length and at most one slice more.
 *
 * An event belongs to the minute in which it is examined, milliseconds after it was kept. Minutes are measured by the
 * monotonic clock.
 */
export class AttackRollups {
  readonly #clock: HistoryClock;
  readonly #startedAt: number;
  readonly #hours = new RollupLevel(60, 24, undefined);
  readonly #fiveMinutes = new RollupLevel(5, 12, this.#hours);
  readonly #minutes = new RollupLevel(1, 5, this.#fiveMinutes);
  /** The levels of each window, the widest first. */
  readonly #levels: Readonly<Record<AttackWindow, readonly RollupLevel[]>> = {
    "5m": [this.#minutes],
    "1h": [this.#fiveMinutes, this.#minutes],
    "24h": [this.#hours, this.#fiveMinutes, this.#minutes],
  };
  #openMinute = 0;
  #open = this.#minutes.sliceOf(0);
  /** All events up to this number are counted as kept. */
  #lastNumber = 0;

  constructor(clock: HistoryClock = systemHistoryClock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
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
    const [widest, ...narrower] = this.#levels[window];
    const counts = new AttackSlice(false);
    for (const slice of widest?.slices() ?? []) counts.merge(slice);
    for (const level of narrower) if (level.open) counts.merge(level.open);
    const recent = this.#minutes.slices(this.#openMinute - recentMinutes);
    const isAllRecent = this.#openMinute - recentMinutes <= 0;
    const firstMinute = Math.max(0, widest?.firstMinute(this.#openMinute) ?? 0);
    return {
      sinceAt: Math.round(this.#clock.now() - (this.#elapsedMs() - firstMinute * minuteMs)),
      counts,
      isNewPlace: (key) =>
        !isAllRecent &&
        recent.reduce((sum, slice) => sum + slice.places.countOf(key), 0) >= counts.places.countOf(key),
    };
  }

  #closeOldSlices(): void {
    const minute = Math.floor(this.#elapsedMs() / minuteMs);
    if (minute === this.#openMinute) return;
    this.#minutes.closeBefore(minute);
    this.#openMinute = minute;
    this.#open = this.#minutes.sliceOf(minute);
  }

  #elapsedMs(): number {
    return this.#clock.monotonic() - this.#startedAt;
  }
}
