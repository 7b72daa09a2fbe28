import { Elysia } from "elysia";
import type { DeadLetterAdmin, DeadLetterEntry } from "../../outputs/dead-letters/admin.ts";
import { startOf } from "../../text/truncate.ts";
import type { DeadLetterAnswer, DeadLettersAnswer, RetryAnswer } from "./answers.ts";
import { errorAnswer, jsonAnswer } from "./json-answer.ts";
import { type JsonBodyBounds, readJsonBody } from "./json-body.ts";

export interface DeadLettersApiOptions {
  /** @returns undefined for a name that is not an output with dead letters */
  readonly deadLetters: (output: string) => DeadLetterAdmin | undefined;
  /** Called when a file cannot be read or written; the client gets 503. */
  readonly onError: (error: Error) => void;
  readonly bodyBounds?: JsonBodyBounds;
}

const defaultLimit = 50;
const maxLimit = 100;
/** The documents in a list are cut to this length, in UTF-16 code units. */
const shownLength = 300;
/** More bytes of UTF-8 than the first `shownLength` code units can have. */
const shownBytes = 4 * (shownLength + 1);
const maxSequences = 10_000;
const defaultBodyBounds: JsonBodyBounds = { maxBytes: 256 * 1024, maxMs: 10_000 };
const path = "/api/v1/outputs/:name/dead-letters";

/** `GET …/dead-letters`, `GET …/dead-letters/:sequence`, `POST …/dead-letters/retry`; … is `/api/v1/outputs/:name`. */
export function createDeadLettersApi(options: DeadLettersApiOptions) {
  const { deadLetters, onError, bodyBounds = defaultBodyBounds } = options;

  /** Answers 404 for an unknown output, and 503 if its files cannot be read or written. */
  async function answerOf(
    output: string,
    answer: (admin: DeadLetterAdmin) => Promise<Response>,
  ): Promise<Response> {
    const admin = deadLetters(output);
    if (!admin) return errorAnswer("not_found");
    try {
      return await answer(admin);
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
      const shown = records.map((record) => recordAnswer(record, startOfDocument(record.event.document)));
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
  { event, reason, time, isRetryPending }: DeadLetterEntry,
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

function startOfDocument(document: Buffer): string {
  return startOf(document.toString("utf8", 0, shownBytes), shownLength);
}

/** @returns undefined if `after` or `limit` is not valid */
function parsePage(query: URLSearchParams): { after: number | undefined; limit: number } | undefined {
  const after = query.get("after");
  const parsedAfter = after === null ? undefined : parseNumber(after);
  const limit = query.has("limit") ? parseNumber(query.get("limit") ?? "") : defaultLimit;
  if (after !== null && parsedAfter === undefined) return undefined;
  return limit !== undefined && limit >= 1 && limit <= maxLimit ? { after: parsedAfter, limit } : undefined;
}

/** Accepts `{"sequences":[12,13]}` or `{"all":true}`. @returns undefined for any other body */
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
