import type { Watcher } from "../sampling/event-sampler.ts";
import {
  beginning,
  type EventPosition,
  type ExaminedEvent,
  positionBefore,
} from "../sampling/sampled-event.ts";
import type { EventFilter } from "./event-filter.ts";
import { findNewestMatches, type Searched } from "./newest-matches.ts";
import {
  byeMessage,
  eventsMessage,
  helloMessage,
  maxBytesInMessage,
  parseEventId,
  pingMessage,
} from "./tail-message.ts";

/** What the streams of all viewers are made of. */
export interface MessageSource extends Searched {
  readonly watcher: Pick<Watcher, "position">;
  /** Of this run: numbers of events begin anew with each. */
  readonly instance: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Without a message for so long, a comment says that the stream is alive. */
  readonly pingMs: number;
}

export interface Viewer {
  readonly filter: EventFilter;
  /** The last id that it saw; undefined: it comes for the first time. What is no id of ours counts as none. */
  readonly lastEventId: string | undefined;
  readonly isSessionValid: () => boolean;
}

/** What becomes of a stream while it goes on. */
export interface Pace {
  /** Resolves at the time for the next message; at once when there is no time left for waiting. */
  nextTick(): Promise<void>;
  readonly isGone: boolean;
  readonly isStopping: boolean;
}

/** How many of the events that are here already a viewer gets that comes, or comes back. */
const maxBacklogEvents = 500;
const maxMessageEvents = 100;
/** One event may be larger. */
const maxMessageBytes = 256 * 1024;

/**
 * The messages of one viewer's stream, each made when it is asked for. Over the whole stream kept = unexamined + missed +
 * left out by the filter + matched, and nothing between two messages is left out or counted twice.
 * @returns the last one; undefined: the viewer is gone
 */
export async function* viewerMessages(
  source: MessageSource,
  viewer: Viewer,
  pace: Pace,
): AsyncGenerator<Buffer, Buffer | undefined> {
  const { watcher, recentEvents, instance, now } = source;
  const { filter, isSessionValid } = viewer;
  const { isResumed, isToldOfAll, missed, ...start } = startOf(source, viewer.lastEventId);
  let { position } = start;

  const end = watcher.position;
  const found = await findNewestMatches(source, {
    ...{ filter, from: position, to: end, maxCount: maxBacklogEvents },
    isCounted: isToldOfAll,
  });
  let backlog = found.ordinals.filter(recentEvents.at);
  const backlogStart = startOfEvents(backlog, end);
  // What came before its backlog does not concern a new viewer; one that comes back is told of everything.
  if (!isToldOfAll && found.ordinals.length === maxBacklogEvents) position = backlogStart;
  yield helloMessage({ now: now(), instance, startedAt: source.startedAt, isResumed, missed }, position);

  const leftOut = found.matched - backlog.length;
  if (isToldOfAll && leftOut > 0) {
    const stretch = { from: position, to: backlogStart, missed: found.missed, matched: leftOut, events: [] };
    position = backlogStart;
    yield eventsMessage(instance, stretch);
  }
  while (backlog.length > 0 && isSessionValid()) {
    const here = backlog.flatMap((ordinal) => recentEvents.at(ordinal) ?? []);
    const events = here.slice(0, countThatFits(here));
    backlog = backlog.slice(backlog.length - here.length + events.length);
    const to = startOfEvents(backlog, end);
    const missed = Math.max(0, Math.min(recentEvents.gone.ordinal, to.ordinal) - position.ordinal);
    const stretch = { from: position, to, missed, matched: events.length, events };
    position = to;
    yield eventsMessage(instance, stretch);
  }

  for (let sentAt = performance.now(); ; ) {
    await pace.nextTick();
    if (pace.isGone) return undefined;
    if (!isSessionValid()) return byeMessage("signed_out");
    const isLast = pace.isStopping;
    const to = watcher.position;
    if (to.number > position.number) {
      const search = { filter, from: position, to, maxCount: maxMessageEvents, isCounted: true };
      const { ordinals, missed, matched } = await findNewestMatches(source, search);
      const here = ordinals.flatMap((ordinal) => recentEvents.at(ordinal) ?? []);
      const events = here.slice(here.length - countThatFits(here.toReversed()));
      const stretch = { from: position, to, missed, matched, events };
      position = to;
      sentAt = performance.now();
      yield eventsMessage(instance, stretch);
    } else if (performance.now() - sentAt >= source.pingMs) {
      sentAt = performance.now();
      yield pingMessage;
    }
    if (isLast) return byeMessage("stopping");
  }

  /** Before the first of these events; before the end where there are none, or where that has gone. */
  function startOfEvents(ordinals: readonly number[], end: EventPosition): EventPosition {
    const first = recentEvents.at(ordinals[0] ?? 0);
    return first ? positionBefore(first) : end;
  }
}

/** How many of these events, from the first one on, go into a message. */
function countThatFits(events: readonly ExaminedEvent[]): number {
  let bytes = 0;
  let count = 0;
  for (const event of events) {
    bytes += maxBytesInMessage(event);
    if (count === maxMessageEvents || (count > 0 && bytes > maxMessageBytes)) break;
    count++;
  }
  return count;
}

interface Start {
  readonly position: EventPosition;
  readonly isResumed: boolean;
  /** It comes back: everything since it left is counted, not only what it is sent. */
  readonly isToldOfAll: boolean;
  readonly missed: number | null;
}

/**
 * Where a viewer's stream begins: after the last event that it saw; at the start of this run where that was in an earlier
 * one; else with the oldest that is here.
 */
function startOf({ watcher, recentEvents, instance }: MessageSource, lastEventId: string | undefined): Start {
  const { gone } = recentEvents;
  const seen = parseEventId(lastEventId);
  // A number that was not given yet is no id of ours either.
  if (!seen || (seen.instance === instance && seen.number > watcher.position.number))
    return { position: gone, isResumed: false, isToldOfAll: false, missed: 0 };
  if (seen.instance !== instance)
    return { position: beginning, isResumed: false, isToldOfAll: true, missed: null };
  if (seen.number < gone.number)
    return { position: gone, isResumed: true, isToldOfAll: true, missed: gone.number - seen.number };
  return {
    position: recentEvents.positionAt(seen.number),
    isResumed: true,
    isToldOfAll: true,
    missed: 0,
  };
}
