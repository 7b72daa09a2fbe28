export interface HistoryClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since an arbitrary moment; never goes back. */
  monotonic(): number;
}

export const systemHistoryClock: HistoryClock = { now: Date.now, monotonic: () => performance.now() };
