/** Equal steps of time, the oldest first; null where Loom did not run or nothing can be said. */
export interface Series {
  /** When the first step began. */
  readonly startAt: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
}
