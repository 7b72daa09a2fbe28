import type { EventPosition } from "../sampling/sampled-event.ts";
import { backlogMessages } from "./backlog-messages.ts";
import { fittingCount, maxMessageEvents } from "./message-limits.ts";
import type { MessageSchedule } from "./message-schedule.ts";
import type { MessageSource, Viewer } from "./message-source.ts";
import { findNewestMatches } from "./newest-matches.ts";
import { startOfStream } from "./stream-start.ts";
import { byeMessage, eventsMessage, pingMessage } from "./tail-message.ts";

/**
 * The messages of one viewer's stream, each built when it is requested. Over the whole stream, kept = unexamined + missed +
 * left out by the filter + matched. No event between two messages is omitted or counted twice.
 * @returns the last message; undefined if the viewer is gone
 */
export async function* viewerMessages(
  source: MessageSource,
  viewer: Viewer,
  schedule: MessageSchedule,
): AsyncGenerator<Buffer, Buffer | undefined> {
  const start = startOfStream(source, viewer.lastEventId);
  const position = yield* backlogMessages(source, viewer, start);
  return yield* liveMessages(source, viewer, schedule, position);
}

/** One message at each tick with the events since the last one, until the viewer leaves, its session ends or Loom stops. */
async function* liveMessages(
  source: MessageSource,
  { filter, isSessionValid }: Viewer,
  schedule: MessageSchedule,
  start: EventPosition,
): AsyncGenerator<Buffer, Buffer | undefined> {
  const { sampler, recentEvents, instance, pingMs } = source;
  let from = start;
  let sentAt = performance.now();
  for (;;) {
    await schedule.nextTick();
    if (schedule.isClosed) return undefined;
    if (!isSessionValid()) return byeMessage("signed_out");
    const isLast = schedule.isStopping;
    const to = sampler.position;
    if (to.number > from.number) {
      const search = { filter, from, to, maxCount: maxMessageEvents, isCounted: true };
      const { ordinals, missed, matched } = await findNewestMatches(source, search);
      const held = ordinals.flatMap((ordinal) => recentEvents.at(ordinal) ?? []);
      const events = held.slice(held.length - fittingCount(held.toReversed()));
      const message = eventsMessage(instance, { from, to, missed, matched, events });
      from = to;
      sentAt = performance.now();
      yield message;
    } else if (performance.now() - sentAt >= pingMs) {
      sentAt = performance.now();
      yield pingMessage;
    }
    if (isLast) return byeMessage("stopping");
  }
}
