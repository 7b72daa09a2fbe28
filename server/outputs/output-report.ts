export const outputStates = ["idle", "delivering", "retrying", "holding"] as const;

/** "retrying" and "holding" last from the first failure until something gets through. */
export type OutputState = (typeof outputStates)[number];

/**
 * What is known of one output; times are milliseconds since the epoch. Its side of the ledger, at every moment:
 * kept = delivered + dead + dropped + damaged + waiting. With stdout alone nothing is kept before it is delivered, and
 * what waits is being written and not kept yet.
 */
export interface OutputReport {
  readonly output: string;
  /** Kept for this output: what waited at the start, and everything since. */
  readonly keptEvents: number;
  readonly deliveredEvents: number;
  /** Refused by the output for good. */
  readonly deadEvents: number;
  /** Removed undelivered because the outbox was full and `on_full` is "drop_oldest". */
  readonly droppedEvents: number;
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  /** When the oldest waiting event was received. */
  readonly oldestReceivedAt: number | undefined;
  /** When the batch that is being collected leaves at the latest; undefined: none is. */
  readonly leavesAt: number | undefined;
  readonly retries: number;
  /** In the file now. */
  readonly deadLetters: number;
  readonly state: OutputState;
  /** Since when it is in this state. */
  readonly since: number;
  /** Why it retries or holds: text that may come from the output, bounded, without credentials. */
  readonly reason: string | undefined;
  /** In a row. */
  readonly failures: number;
  /** undefined: an attempt is on its way, or none is needed. */
  readonly nextTryAt: number | undefined;
  readonly lastError: { readonly class: string; readonly reason: string; readonly at: number } | undefined;
  readonly lastDeliveredAt: number | undefined;
}

/** The counts of the outbox itself. */
export interface OutboxReport {
  readonly sizeBytes: number;
  readonly maxBytes: number;
  readonly segments: number;
  /** Events that were kept and can no longer be read from disk. */
  readonly damagedEvents: number;
  readonly syncs: number;
  readonly failedSyncs: number;
}

/** One attempt to send a batch. */
export interface AttemptReport {
  readonly events: number;
  readonly durationMs: number;
}
