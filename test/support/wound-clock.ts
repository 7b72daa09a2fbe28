/** Two clocks that go on only when a test says so, together or each alone. */
export interface WoundClock {
  now(): number;
  monotonic(): number;
  /** Lets time pass on both. */
  advance(ms: number): void;
  /** Sets the wall clock alone. */
  setWall(ms: number): void;
}

export function createWoundClock(wallMs = 1_800_000_000_000): WoundClock {
  let wall = wallMs;
  // Not 0: nothing may rely on where a monotonic clock begins.
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
