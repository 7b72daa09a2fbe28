import { Chronicle } from "../../server/monitoring/history/chronicle.ts";

/** A wall clock and a monotonic clock that advance only when a test says so, together or separately. */
export interface WoundClock {
  now(): number;
  monotonic(): number;
  /** Advances both clocks. */
  advance(ms: number): void;
  /** Sets only the wall clock. */
  setWall(ms: number): void;
}

/** A chronicle by this clock that begins now at 0. */
export function chronicleOf(clock: WoundClock): Chronicle {
  return new Chronicle({ clock });
}

export function createWoundClock(wallMs = 1_800_000_000_000): WoundClock {
  let wall = wallMs;
  // Not 0, because no code may rely on the start of a monotonic clock.
  let monotonic = 5_000;
  return {
    now: () => wall,
    monotonic: () => monotonic,
    advance(ms) {
      wall += ms;
      monotonic += ms;
    },
    setWall(ms) {
      wall = ms;
    },
  };
}
