import type { Change, SavedEntries } from "../saved-state/saved-entries.ts";
import { type HistoryClock, systemHistoryClock } from "./history-clock.ts";
import type { Pause } from "./series.ts";

/*
 * The scale of time of everything that the dashboard records. It begins at the first start of Loom and continues after a
 * restart, if the state is saved. While Loom runs, it advances with the monotonic clock, so that setting the wall clock does
 * not change what is recorded. How long Loom did not run is known only from the wall clock; if that went back meanwhile, the
 * pause counts as 0.
 */

/** A time in which Loom did not run, in milliseconds of the scale. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

interface SavedChronicle {
  readonly firstMs: number;
  readonly elapsedMs: number;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
  readonly pauses: readonly (readonly [fromMs: number, toMs: number])[];
}

const kind = "chronicle";
/** If Loom restarts more often, the oldest pauses are forgotten, and what was counted then is shown as 0. */
const maxPauses = 256;

export interface ChronicleOptions {
  readonly clock?: HistoryClock;
  readonly saved?: SavedEntries | undefined;
  /** Where the scale begins, if it is not continued. */
  readonly firstMs?: number;
}

export class Chronicle {
  readonly clock: HistoryClock;
  /** The first start of Loom, in milliseconds of the scale. */
  readonly firstMs: number;
  /** The start of this process. */
  readonly startedMs: number;
  /** When the state was saved last before this start; the same as `startedMs` if there is none. */
  readonly continuedMs: number;
  readonly #origin: number;
  readonly #pauses: Span[];

  constructor({ clock = systemHistoryClock, saved, firstMs = 0 }: ChronicleOptions = {}) {
    this.clock = clock;
    const before = saved?.only(kind, checked);
    const pauseMs = before ? Math.max(0, clock.now() - before.savedAt) : 0;
    this.firstMs = before?.firstMs ?? firstMs;
    this.continuedMs = before?.elapsedMs ?? firstMs;
    this.startedMs = this.continuedMs + pauseMs;
    this.#origin = clock.monotonic() - this.startedMs;
    this.#pauses = (before?.pauses ?? []).map(([fromMs, toMs]) => ({ fromMs, toMs }));
    if (before) this.#pauses.push({ fromMs: this.continuedMs, toMs: this.startedMs });
    this.#pauses.splice(0, this.#pauses.length - maxPauses);
  }

  get elapsedMs(): number {
    return this.clock.monotonic() - this.#origin;
  }

  /** The first start of Loom; milliseconds since the epoch. */
  get firstAt(): number {
    return this.timeOf(this.firstMs);
  }

  /** @returns milliseconds since the epoch */
  timeOf(atMs: number): number {
    return Math.round(this.clock.now() - (this.elapsedMs - atMs));
  }

  /** How much of this time Loom ran, in milliseconds. */
  runningMs(fromMs: number, toMs: number): number {
    const from = Math.max(fromMs, this.firstMs);
    let ms = Math.max(0, toMs - from);
    // The latest pause is the last one, and most questions are about the last minutes.
    for (let i = this.#pauses.length - 1; i >= 0; i--) {
      const pause = this.#pauses[i];
      if (!pause || pause.toMs <= from) break;
      ms -= Math.max(0, Math.min(toMs, pause.toMs) - Math.max(from, pause.fromMs));
    }
    return ms;
  }

  /** The times between `fromMs` and now in which Loom did not run, oldest first; one for each restart. */
  pausesSince(fromMs: number): Pause[] {
    return this.#pauses
      .filter(({ toMs }) => toMs >= fromMs)
      .map((pause) => ({ fromAt: this.timeOf(pause.fromMs), toAt: this.timeOf(pause.toMs) }));
  }

  *changes(): Iterable<Change> {
    const saved: SavedChronicle = {
      firstMs: this.firstMs,
      elapsedMs: this.elapsedMs,
      savedAt: this.clock.now(),
      pauses: this.#pauses.map(({ fromMs, toMs }) => [fromMs, toMs]),
    };
    yield { kind, key: "", value: saved };
  }
}

/** @throws Error if the saved times cannot be right */
function checked(value: unknown): SavedChronicle {
  const saved = value as SavedChronicle;
  const times = [saved.firstMs, saved.elapsedMs, saved.savedAt, ...saved.pauses.flat()];
  if (!times.every(Number.isFinite) || saved.firstMs < 0 || saved.elapsedMs < saved.firstMs)
    throw new Error("the times of the chronicle contradict each other");
  return saved;
}
