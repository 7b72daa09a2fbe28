import { Elysia } from "elysia";
import { WrongCursor } from "../../history/cursor.ts";
import {
  type Completeness,
  type HistoryEvent,
  type HistoryReader,
  HistoryUnavailable,
  type QueryOptions,
} from "../../history/history-reader.ts";
import { type History, isReader } from "../../outputs/open-history.ts";
import type { Query } from "../../query/query.ts";
import type {
  HistoryCompleteness,
  HistoryCountAnswer,
  HistoryCoverageAnswer,
  HistoryEventAnswer,
  HistoryEventsAnswer,
  HistoryHistogramAnswer,
  HistoryNewAnswer,
  HistoryTopAnswer,
} from "./answers.ts";
import { exportAnswer } from "./history-export.ts";
import {
  readColumn,
  readCount,
  readFirstSeenColumn,
  readFormat,
  readParams,
  readQuery,
  readRange,
  readSince,
} from "./history-params.ts";
import { type ErrorCode, errorAnswer, jsonAnswer } from "./json-answer.ts";
import { queryErrorAnswer } from "./query-error-answer.ts";

export interface HistoryApiOptions {
  readonly history: History;
  /** Called when stored events cannot be read; the client gets 503. */
  readonly onError: (error: Error) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const defaultLimit = 50;
const maxEvents = 500;
const maxTopValues = 1_000;
const maxNewValues = 1_000;
const retryAfterSeconds = 5;
const eventId = /^[\w.-]{1,128}$/;
const path = "/api/v1/history";

/** `GET /api/v1/history/…`: stored events, searched with a query (docs/search.md). */
export function createHistoryApi(options: HistoryApiOptions) {
  const routes = new HistoryRoutes(options);
  return new Elysia({ strictPath: true })
    .get(`${path}/coverage`, () => routes.coverage())
    .get(`${path}/events`, ({ request }) => routes.events(request))
    .get(`${path}/events/:id`, ({ params, request }) => routes.event(params.id, request))
    .get(`${path}/count`, ({ request }) => routes.count(request))
    .get(`${path}/top`, ({ request }) => routes.top(request))
    .get(`${path}/new`, ({ request }) => routes.newValues(request))
    .get(`${path}/histogram`, ({ request }) => routes.histogram(request))
    .get(`${path}/export`, ({ request }) => routes.export(request));
}

class HistoryRoutes {
  readonly #options: HistoryApiOptions;
  readonly #now: () => number;

  constructor(options: HistoryApiOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  coverage(): Promise<Response> {
    return this.#answer(async (reader) => {
      const coverage = await reader.coverage();
      const answer: HistoryCoverageAnswer = {
        time: coverage.time,
        oldestAt: coverage.oldest ?? null,
        newestAt: coverage.newest ?? null,
        events: coverage.events,
        bytes: coverage.bytes ?? null,
        damagedEvents: coverage.damagedEvents,
      };
      return jsonAnswer(answer);
    });
  }

  events(request: Request): Promise<Response> {
    const params = readParams(request.url, ["q", "limit", "cursor"]);
    const limit = readCount(params?.limit, defaultLimit, maxEvents);
    if (!params || limit === undefined) return invalid();
    return this.#search(request, params.q, async (reader, query, options) => {
      const answer = await reader.events(query, { limit, cursor: params.cursor }, options);
      const events: HistoryEventsAnswer = {
        ...completeness(answer),
        events: answer.events.map(eventAnswer),
        cursor: answer.cursor ?? null,
      };
      return jsonAnswer(events);
    });
  }

  event(id: string, { signal }: Request): Promise<Response> {
    return this.#answer(async (reader) => {
      const event = eventId.test(id) ? await reader.event(id, { signal }) : undefined;
      return event ? jsonAnswer(eventAnswer(event)) : errorAnswer("not_found");
    }, signal);
  }

  count(request: Request): Promise<Response> {
    const params = readParams(request.url, ["q"]);
    if (!params) return invalid();
    return this.#search(request, params.q, async (reader, query, options) => {
      const answer = await reader.count(query, options);
      const count: HistoryCountAnswer = { ...completeness(answer), events: answer.events };
      return jsonAnswer(count);
    });
  }

  top(request: Request): Promise<Response> {
    const params = readParams(request.url, ["q", "by", "limit"]);
    const column = readColumn(params?.by);
    const limit = readCount(params?.limit, defaultLimit, maxTopValues);
    if (!params || !column || limit === undefined) return invalid();
    return this.#search(request, params.q, async (reader, query, options) => {
      const { values, others, without, distinct, ...rest } = await reader.top(query, column, limit, options);
      const answer: HistoryTopAnswer = {
        ...completeness(rest),
        column,
        values,
        others,
        without,
        distinct: distinct ?? null,
      };
      return jsonAnswer(answer);
    });
  }

  newValues({ url, signal }: Request): Promise<Response> {
    const params = readParams(url, ["by", "since", "limit"]);
    const column = readFirstSeenColumn(params?.by);
    const since = readSince(params?.since, this.#now());
    const limit = readCount(params?.limit, defaultLimit, maxNewValues);
    if (!params || !column || since === undefined || limit === undefined) return invalid();
    return this.#answer(async (reader) => {
      const found = await reader.newValues(column, since, limit, { signal });
      const answer: HistoryNewAnswer = {
        column,
        values: found.values.map((value) => ({ ...value, events: value.events ?? null })),
        hasMore: found.hasMore,
        listedSince: Math.max(found.listedSince, found.recordsSince),
        recordsSince: found.recordsSince,
        evictedValues: found.evictedValues,
        evictedBefore: found.evictedBefore ?? null,
      };
      return jsonAnswer(answer);
    });
  }

  histogram(request: Request): Promise<Response> {
    const params = readParams(request.url, ["q", "interval"]);
    if (!params) return invalid();
    return this.#search(request, params.q, async (reader, query, options) => {
      const oldest = query.since === undefined ? (await reader.coverage()).oldest : undefined;
      const range = readRange(query, params.interval, oldest, this.#now());
      if (!range) return errorAnswer("invalid_request");
      const { from, intervalMs, counts, ...rest } = await reader.histogram(query, range, options);
      const answer: HistoryHistogramAnswer = { ...completeness(rest), from, intervalMs, counts };
      return jsonAnswer(answer);
    });
  }

  export(request: Request): Promise<Response> {
    const params = readParams(request.url, ["q", "format", "columns"]);
    const format = params && readFormat(params.format, params.columns);
    if (!params || !format) return invalid();
    return this.#search(request, params.q, async (reader, query, { signal }) =>
      exportAnswer({ reader, query, format, signal, now: this.#now(), onError: this.#options.onError }),
    );
  }

  #search(
    { signal }: Request,
    text: string | undefined,
    answer: (
      reader: HistoryReader,
      query: Query,
      options: QueryOptions & { signal: AbortSignal },
    ) => Promise<Response>,
  ): Promise<Response> {
    const query = readQuery(text, this.#now());
    if (query.kind === "refused") return Promise.resolve(queryErrorAnswer(query.refusal));
    return this.#answer((reader) => answer(reader, query.value, { signal }), signal);
  }

  async #answer(
    answer: (reader: HistoryReader) => Promise<Response>,
    signal?: AbortSignal,
  ): Promise<Response> {
    const { history, onError } = this.#options;
    if (!isReader(history)) return unavailableAnswer(history.unavailable, false);
    try {
      return await answer(history);
    } catch (error) {
      if (error instanceof WrongCursor) return errorAnswer("invalid_request");
      if (error instanceof HistoryUnavailable) return unavailableAnswer(error.message);
      // A client that goes away cancels its query: that is not a failure.
      if (!signal?.aborted) onError(error instanceof Error ? error : new Error(String(error)));
      return errorAnswer("unavailable", retryAfterSeconds);
    }
  }
}

function completeness(answer: Completeness): HistoryCompleteness {
  return {
    time: answer.time,
    isComplete: answer.isComplete,
    searchedBackTo: answer.searchedBackTo ?? null,
    damagedEvents: answer.damagedEvents,
  };
}

function eventAnswer({ id, receivedAt, sensorId, document }: HistoryEvent): HistoryEventAnswer {
  return { id, receivedAt, sensorId, document };
}

function invalid(): Promise<Response> {
  return Promise.resolve(errorAnswer("invalid_request"));
}

/** @param hasHistory false: the configuration has no history, and a retry is useless */
function unavailableAnswer(reason: string, hasHistory = true): Response {
  const code: ErrorCode = "unavailable";
  const answer = jsonAnswer({ error: code, reason, hasHistory }, 503);
  answer.headers.set("retry-after", String(retryAfterSeconds));
  return answer;
}
