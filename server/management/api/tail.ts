import { Elysia } from "elysia";
import { EventFilter } from "../../monitoring/tail/event-filter.ts";
import type { RecentEvents } from "../../monitoring/tail/recent-events.ts";
import type { Tail } from "../../monitoring/tail/tail.ts";
import { eventJson } from "../../monitoring/tail/tail-message.ts";
import { parseQuery } from "../../query/parse-query.ts";
import { errorAnswer, jsonAnswer } from "./json-answer.ts";
import { queryErrorAnswer } from "./query-error-answer.ts";

export interface TailApiOptions {
  readonly tail: Tail;
  readonly recentEvents: RecentEvents;
  /** Returns a function that tells whether the request's session is still valid; see Sessions. */
  readonly trackValidity: (request: Request) => () => boolean;
}

const retryAfterSeconds = 5;
const lastEventIdName = "last_event_id";
const queryName = "q";

/** `GET /api/v1/tail`, the live tail; `GET /api/v1/events/:number`, one of its events. */
export function createTailApi({ tail, recentEvents, trackValidity }: TailApiOptions) {
  return new Elysia({ strictPath: true })
    .get("/api/v1/tail", ({ request }) => {
      const { searchParams } = new URL(request.url);
      // A browser that reconnects on its own sends the header, together with the parameters of its first request.
      const lastEventId = request.headers.get("last-event-id") ?? searchParams.get(lastEventIdName);
      const names = [...searchParams.keys()].filter((name) => name !== lastEventIdName);
      if (names.some((name) => name !== queryName) || names.length > 1) return errorAnswer("invalid_request");
      const query = parseQuery(searchParams.get(queryName) ?? "", { now: Date.now(), hasPast: false });
      if (query.kind === "refused") return queryErrorAnswer(query.refusal);
      const filter = new EventFilter(query.value);
      const isSessionValid = trackValidity(request);
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
  // Without it, nginx would buffer the stream.
  "x-accel-buffering": "no",
};
