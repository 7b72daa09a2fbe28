import { beginning, type EventPosition } from "../sampling/sampled-event.ts";
import type { MessageSource } from "./message-source.ts";
import { parseEventId } from "./tail-message.ts";

/** Where the stream of a viewer begins. */
export interface StreamStart {
  readonly position: EventPosition;
  /** The stream continues where the viewer's last one ended. */
  readonly isResumed: boolean;
  /** The viewer was connected before: it gets the counts of all events since then, not only of those that it is sent. */
  readonly countsAll: boolean;
  /** Events between the last one that the viewer saw and `position`; null if they cannot be counted. See TailHello. */
  readonly missed: number | null;
}

/**
 * A stream begins after the last event that the viewer saw. If that event belongs to an earlier run of Loom, the stream
 * begins at the start of this run; for a new viewer, with the oldest event that Loom still holds.
 */
export function startOfStream(
  { sampler, recentEvents, instance }: MessageSource,
  lastEventId: string | undefined,
): StreamStart {
  const { lastEvicted } = recentEvents;
  const seen = parseEventId(lastEventId);
  // An id of this run with a number that no event has yet was never given to anybody.
  if (!seen || (seen.instance === instance && seen.number > sampler.position.number))
    return { position: lastEvicted, isResumed: false, countsAll: false, missed: 0 };
  if (seen.instance !== instance)
    return { position: beginning, isResumed: false, countsAll: true, missed: null };
  if (seen.number < lastEvicted.number)
    return {
      position: lastEvicted,
      isResumed: true,
      countsAll: true,
      missed: lastEvicted.number - seen.number,
    };
  return { position: recentEvents.positionAt(seen.number), isResumed: true, countsAll: true, missed: 0 };
}
