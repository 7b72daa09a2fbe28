export const outputStates = ["idle", "delivering", "retrying", "holding"] as const;

/** "retrying" and "holding" (blocked) last from the first failure until the output accepts or rejects events. */
export type OutputState = (typeof outputStates)[number];

/**
 * The state and the counts of one output; times are milliseconds since the epoch. At every moment
 * kept = delivered + dead + dropped + damaged + waiting. If stdout is the only output, events are kept when they are
 * delivered, and the waiting ones are being written and not kept yet.
 */
export interface OutputReport {
  readonly output: string;
  /** Kept for this output: the events that were waiting at the start, and all since. */
  readonly keptEvents: number;
  readonly deliveredEvents: number;
  /** Rejected by the output. */
  readonly deadEvents: number;
  /** Removed undelivered because the outbox was full and `on_full` is "drop_oldest". */
  readonly droppedEvents: number;
  /** Skipped by this output because they could not be read from disk. */
  readonly damagedEvents: number;
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  /** When the oldest waiting event was received. */
  readonly oldestReceivedAt: number | undefined;
  /** When the batch that is being collected is sent at the latest; undefined: there is none. */
  readonly leavesAt: number | undefined;
  readonly retries: number;
  /** Records in the dead-letter file now. */
  readonly deadLetters: number;
  readonly state: OutputState;
  /** Since when it is in this state. */
  readonly since: number;
  /** Why it retries or is blocked: text that may come from the output, bounded, without credentials. */
  readonly reason: string | undefined;
  /** Failed attempts in a row. */
  readonly failures: number;
  /** undefined: an attempt is in progress, or none is needed. */
  readonly nextTryAt: number | undefined;
  readonly lastError: { readonly class: string; readonly reason: string; readonly at: number } | undefined;
  readonly lastDeliveredAt: number | undefined;
}

/** The counts of the outbox itself. */
export interface OutboxReport {
  readonly sizeBytes: number;
  /** The size at which batches are refused or the oldest are dropped: `max_bytes`, or what the disk has room for if less. */
  readonly maxBytes: number;
  readonly segments: number;
  /** Events that were kept and could not be read from disk. */
  readonly damagedEvents: number;
  readonly syncs: number;
  readonly failedSyncs: number;
}

/** One attempt to send a batch. */
export interface AttemptReport {
  readonly events: number;
  readonly durationMs: number;
}
