/*
 * The messages of the live tail (text/event-stream). This file has only types, because the page imports it too.
 */

/** The first message of a stream: `event: hello`. It has an id, so that a stream that breaks right after it can be resumed. */
export interface TailHello {
  readonly now: number;
  /** Identifies the run of Loom. If it differs from that of the `Last-Event-ID`, Loom was restarted in between. */
  readonly instance: string;
  readonly startedAt: number;
  /** True if the stream continues from the `Last-Event-ID`. */
  readonly isResumed: boolean;
  /**
   * The number of events between the `Last-Event-ID` and the next message, which Loom does not hold any more. null: Loom was
   * restarted, and the number of events before the restart is unknown. All events since the restart are in the counts that
   * follow.
   */
  readonly missed: number | null;
}

/** One kept event. */
export interface TailEvent {
  /** The event's number among all events kept since the start, from 1. */
  readonly number: number;
  readonly receivedAt: number;
  readonly sensorId: string;
  /** The event as it is delivered, byte for byte. It is the last member, so that its text can be cut out of the line. */
  readonly document: unknown;
}

/**
 * The first line of every other message: `event: events`, with the id `<instance>.<number of the last event that it covers>`.
 * The message has several `data:` lines: this one, and one line for each event, a TailEvent: the newest of the matching
 * events, oldest first. Since each event has its own line, a client can read the exact text of its document, which JSON.parse
 * would change if it contained 64-bit numbers.
 */
export interface TailCounts {
  /** Events kept since the last message = unexamined + missed + left out by the filter + matched. */
  readonly kept: number;
  /** Events that were not sampled, because they arrived faster than the sampling budget allows. */
  readonly unexamined: number;
  /** Events that were evicted before this viewer received them. */
  readonly missed: number;
  /** Events that match. Those that are not among the lines were left out, because a message has at most 100. */
  readonly matched: number;
}

/** The last message of a stream that Loom ends: `event: bye`. */
export interface TailBye {
  readonly reason: "stopping" | "signed_out";
}
