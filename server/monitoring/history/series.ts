/** A time in which Loom did not run: it ends at a restart. Milliseconds since the epoch. */
export interface Pause {
  readonly fromAt: number;
  readonly toAt: number;
}

/** A value for each of equal steps of time, oldest first; null if Loom did not run then, or if the value is undefined. */
export interface Series {
  /** When the first step begins; milliseconds since the epoch. */
  readonly startAt: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
  /** The times in which Loom did not run, from the first step on. A short one hides no step completely. */
  readonly pauses: readonly Pause[];
}
