/** A value for each of equal steps of time, oldest first; null if Loom did not run then, or if the value is undefined. */
export interface Series {
  /** When the first step begins; milliseconds since the epoch. */
  readonly startAt: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
}
