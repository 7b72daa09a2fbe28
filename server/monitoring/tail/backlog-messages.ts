import { type EventPosition, positionBefore } from "../sampling/sampled-event.ts";
import { fittingCount } from "./message-limits.ts";
import type { MessageSource, Viewer } from "./message-source.ts";
import { findNewestMatches } from "./newest-matches.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { StreamStart } from "./stream-start.ts";
import { eventsMessage, helloMessage } from "./tail-message.ts";

/** The most events from before its connection that a viewer gets. */
const maxBacklogEvents = 500;

/**
 * The first messages of a stream: the greeting, and the newest matching events of those that Loom still holds. A viewer that
 * resumes also gets the counts of those that are left out before them; they do not concern a new viewer.
 * @returns the position up to which the viewer is informed
 */
export async function* backlogMessages(
  source: MessageSource,
  { filter, isSessionValid }: Viewer,
  { position: start, isResumed, countsAll, missed }: StreamStart,
): AsyncGenerator<Buffer, EventPosition> {
  const { recentEvents, instance, startedAt, now } = source;
  const end = source.sampler.position;
  const search = { filter, from: start, to: end, maxCount: maxBacklogEvents, isCounted: countsAll };
  const found = await findNewestMatches(source, search);
  const backlog = found.ordinals.filter((ordinal) => recentEvents.at(ordinal) !== undefined);
  const backlogStart = startOfEvents(recentEvents, backlog, end);
  let from = start;
  if (!countsAll && found.ordinals.length === maxBacklogEvents) from = backlogStart;
  yield helloMessage({ now: now(), instance, startedAt, isResumed, missed }, from);

  const leftOut = found.matched - backlog.length;
  if (countsAll && leftOut > 0) {
    const span = { from, to: backlogStart, missed: found.missed, matched: leftOut, events: [] };
    from = backlogStart;
    yield eventsMessage(instance, span);
  }
  let rest = backlog;
  while (rest.length > 0 && isSessionValid()) {
    const held = rest.flatMap((ordinal) => recentEvents.at(ordinal) ?? []);
    const events = held.slice(0, fittingCount(held));
    rest = rest.slice(rest.length - held.length + events.length);
    const to = startOfEvents(recentEvents, rest, end);
    const evicted = Math.max(0, Math.min(recentEvents.lastEvicted.ordinal, to.ordinal) - from.ordinal);
    const span = { from, to, missed: evicted, matched: events.length, events };
    from = to;
    yield eventsMessage(instance, span);
  }
  return from;
}

/** The position before the first of these events; `end` if there is none, or if it has been evicted. */
function startOfEvents(
  recentEvents: RecentEvents,
  ordinals: readonly number[],
  end: EventPosition,
): EventPosition {
  const first = recentEvents.at(ordinals[0] ?? 0);
  return first ? positionBefore(first) : end;
}
