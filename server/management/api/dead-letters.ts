import { Elysia } from "elysia";
import type { DeadLetterAnswer, DeadLettersAnswer, RetryAnswer } from "./answers.ts";
import { errorAnswer, jsonAnswer } from "./json-answer.ts";
import { type JsonBodyBounds, readJsonBody } from "./json-body.ts";

/** A dead letter as the outputs know it. */
export interface DeadLetter {
  readonly event: {
    readonly sequence: number;
    readonly sensorId: string;
    /** Milliseconds since the epoch, as `time`. */
    readonly receivedAt: number;
    readonly document: Buffer;
  };
  readonly reason: string;
  /** When it was refused. */
  readonly time: number;
  readonly isRetryPending: boolean;
}

/** The dead letters of one output. */
export interface DeadLetterAdmin {
  list(page: { readonly after: number | undefined; readonly limit: number }): Promise<{
    readonly total: number;
    readonly records: readonly DeadLetter[];
    readonly next: number | undefined;
  }>;
  read(sequence: number): Promise<DeadLetter | undefined>;
  /** @returns how many of them there are */
  requestRetry(sequences: readonly number[] | "all"): Promise<number>;
}

export interface DeadLettersApiOptions {
  /** undefined: there is no such output. */
  readonly deadLetters: (output: string) => DeadLetterAdmin | undefined;
  /** Told why a file can't be read or written; the answer is 503. */
  readonly onError: (error: Error) => void;
  readonly bodyBounds?: JsonBodyBounds;
}

const defaultLimit = 50;
const maxLimit = 100;
/** Of a document in a list, in characters. */
const shownLength = 300;
/** What the longest text of so many characters takes in UTF-8, and one more, so that a cut is seen. */
const shownBytes = 4 * (shownLength + 1);
const maxSequences = 10_000;
const defaultBodyBounds: JsonBodyBounds = { maxBytes: 256 * 1024, maxMs: 10_000 };
const path = "/api/v1/outputs/:name/dead-letters";

/** `GET …/dead-letters`, `GET …/dead-letters/:sequence`, `POST …/dead-letters/retry`; … is `/api/v1/outputs/:name`. */
export function createDeadLettersApi(options: DeadLettersApiOptions) {
  const { deadLetters, onError, bodyBounds = defaultBodyBounds } = options;

  /** 404 for an output that is not there, 503 where its files fail. */
  async function answerOf(
    output: string,
    ask: (admin: DeadLetterAdmin) => Promise<Response>,
  ): Promise<Response> {
    const admin = deadLetters(output);
    if (!admin) return errorAnswer("not_found");
    try {
      return await ask(admin);
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
      return errorAnswer("unavailable", retryAfterSeconds);
    }
  }

  async function list(output: string, url: string): Promise<Response> {
    const page = parsePage(new URL(url).searchParams);
    if (!page) return errorAnswer("invalid_request");
    return answerOf(output, async (admin) => {
      const { total, records, next } = await admin.list(page);
      const shown = records.map((record) => recordAnswer(record, beginningOf(record.event.document)));
      const answer: DeadLettersAnswer = { output, total, records: shown, next: next ?? null };
      return jsonAnswer(answer);
    });
  }

  function show(output: string, text: string): Promise<Response> {
    return answerOf(output, async (admin) => {
      const sequence = parseNumber(text);
      const record = sequence === undefined ? undefined : await admin.read(sequence);
      if (!record) return errorAnswer("not_found");
      return jsonAnswer(recordAnswer(record, record.event.document.toString("utf8")));
    });
  }

  async function retry(output: string, request: Request): Promise<Response> {
    const sequences = parseRetry(await readJsonBody(request, bodyBounds));
    if (!sequences) return errorAnswer("invalid_request");
    return answerOf(output, async (admin) => {
      const requested = await admin.requestRetry(sequences);
      if (requested === 0) return errorAnswer("not_found");
      const answer: RetryAnswer = { requested };
      return jsonAnswer(answer, 202);
    });
  }

  return new Elysia({ strictPath: true })
    .get(path, ({ params, request }) => list(params.name, request.url))
    .get(`${path}/:sequence`, ({ params }) => show(params.name, params.sequence))
    .post(`${path}/retry`, ({ params, request }) => retry(params.name, request), { parse: "none" });
}

const retryAfterSeconds = 5;

function recordAnswer(
  { event, reason, time, isRetryPending }: DeadLetter,
  document: string,
): DeadLetterAnswer {
  const { sequence, sensorId, receivedAt } = event;
  return {
    sequence,
    sensorId,
    receivedAt,
    rejectedAt: time,
    reason,
    isRetryPending,
    document,
    documentBytes: event.document.length,
  };
}

function beginningOf(document: Buffer): string {
  const text = document.toString("utf8", 0, shownBytes).slice(0, shownLength);
  // Half of a pair of surrogates is no character.
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
}

/** @returns undefined for what is no page */
function parsePage(query: URLSearchParams): { after: number | undefined; limit: number } | undefined {
  const after = query.get("after");
  const parsedAfter = after === null ? undefined : parseNumber(after);
  const limit = query.has("limit") ? parseNumber(query.get("limit") ?? "") : defaultLimit;
  if (after !== null && parsedAfter === undefined) return undefined;
  return limit !== undefined && limit >= 1 && limit <= maxLimit ? { after: parsedAfter, limit } : undefined;
}

/** `{"sequences":[12,13]}` or `{"all":true}` and nothing else; undefined for anything else. */
function parseRetry(body: unknown): readonly number[] | "all" | undefined {
  if (typeof body !== "object" || body === null || Object.keys(body).length !== 1) return undefined;
  if ("all" in body) return body.all === true ? "all" : undefined;
  if (!("sequences" in body) || !Array.isArray(body.sequences)) return undefined;
  const sequences: unknown[] = body.sequences;
  if (sequences.length === 0 || sequences.length > maxSequences) return undefined;
  return sequences.every(isSequence) ? sequences : undefined;
}

function parseNumber(text: string): number | undefined {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return isSequence(number) ? number : undefined;
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && typeof value === "number" && value >= 0;
}
