import type { EventSampler } from "../sampling/event-sampler.ts";
import type { EventFilter } from "./event-filter.ts";
import type { Searched } from "./newest-matches.ts";

/** What the streams of all viewers are built from. */
export interface MessageSource extends Searched {
  readonly sampler: Pick<EventSampler, "position">;
  /** Identifies this run of Loom: the numbers of events begin at 1 in each run. */
  readonly instance: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** After this time without a message, a comment shows that the stream is alive. */
  readonly pingMs: number;
}

export interface Viewer {
  readonly filter: EventFilter;
  /** The id of the last message that the viewer received; undefined for a new viewer. An id that Loom never gave is ignored. */
  readonly lastEventId: string | undefined;
  readonly isSessionValid: () => boolean;
}
