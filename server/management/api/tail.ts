import { Elysia } from "elysia";
import { parseFilter } from "../../monitoring/tail/event-filter.ts";
import type { RecentEvents } from "../../monitoring/tail/recent-events.ts";
import { eventJson } from "../../monitoring/tail/tail-message.ts";
import type { Tail } from "../../monitoring/tail/tail-stream.ts";
import { errorAnswer, jsonAnswer } from "./json-answer.ts";

export interface TailApiOptions {
  readonly tail: Tail;
  readonly recentEvents: RecentEvents;
  /** A question to ask again while an answer goes on: is the request's session still valid? */
  readonly watchSession: (request: Request) => () => boolean;
}

const retryAfterSeconds = 5;
const lastEventIdName = "last_event_id";

/** The live tail, and one event of it by its number. */
export function createTailApi({ tail, recentEvents, watchSession }: TailApiOptions) {
  return new Elysia({ strictPath: true })
    .get("/api/v1/tail", ({ request }) => {
      const { searchParams } = new URL(request.url);
      // A browser that reconnects by itself sends the header, and the address with which it began.
      const lastEventId = request.headers.get("last-event-id") ?? searchParams.get(lastEventIdName);
      searchParams.delete(lastEventIdName);
      const filter = parseFilter(searchParams);
      if (!filter) return errorAnswer("invalid_request");
      const isSessionValid = watchSession(request);
      const stream = tail.open({ filter, lastEventId: lastEventId ?? undefined, isSessionValid });
      return stream ? new Response(stream, { headers }) : errorAnswer("unavailable", retryAfterSeconds);
    })
    .get("/api/v1/events/:number", ({ params }) => {
      const event = /^[1-9]\d{0,15}$/.test(params.number)
        ? recentEvents.byNumber(Number(params.number))
        : undefined;
      return event ? jsonAnswer(eventJson(event)) : errorAnswer("not_found");
    });
}

const headers = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx would collect the stream otherwise.
  "x-accel-buffering": "no",
};
