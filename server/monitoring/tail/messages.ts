/*
 * The messages of the live tail (text/event-stream). Only types: the page imports this file too.
 */

/** The first message of a stream: `event: hello`. It has an id too: a stream that breaks right after it goes on from there. */
export interface TailHello {
  readonly now: number;
  /** Another one than in the `Last-Event-ID`: Loom was started anew since. */
  readonly instance: string;
  readonly startedAt: number;
  /** The stream goes on from the `Last-Event-ID`. */
  readonly isResumed: boolean;
  /**
   * Events between the `Last-Event-ID` and what follows that are not here any more. null: nobody can count them, because Loom
   * was started anew since; everything since that start is in the counts that follow.
   */
  readonly missed: number | null;
}

/** One kept event; its number counts all events kept since the start. */
export interface TailEvent {
  readonly number: number;
  readonly receivedAt: number;
  readonly sensorId: string;
  /** As it is delivered, byte for byte; the last member, so that its text can be cut out of the line. */
  readonly document: unknown;
}

/**
 * The first line of every other message (`event: events`, its id is `<instance>.<number of the last event that it
 * covers>`). It has several `data:` lines: this one, and then one line an event, each a TailEvent: the latest of the
 * matched ones, the oldest first. So whoever wants a document's exact text has it, 64-bit numbers and all.
 */
export interface TailCounts {
  /** Events kept since the last message = unexamined + missed + others that the filter left out + matched. */
  readonly kept: number;
  /** Of these, not looked at: they came faster than Loom looks. */
  readonly unexamined: number;
  /** Gone before this viewer took them. */
  readonly missed: number;
  /** Those of them that are not among the lines were left out, because more came than anybody can read. */
  readonly matched: number;
}

/** The last message before Loom itself ends a stream: `event: bye`. */
export interface TailBye {
  readonly reason: "stopping" | "signed_out";
}
