import type { SendOutcome } from "../output.ts";
import type { Answer } from "./client.ts";

/** The exception that ClickHouse has for a table that is not there. */
export const unknownTable = 60;

/*
 * Exception codes decide, not the HTTP status: the same 500 stands for a bad row and for a server out of memory.
 * Names and numbers: src/Common/ErrorCodes.cpp of ClickHouse. What stands in neither list is tried again, also
 * 252 TOO_MANY_PARTS and 241 MEMORY_LIMIT_EXCEEDED.
 */

/** Nothing goes in until somebody mends the table, the account or the settings. */
const holdCodes: ReadonlySet<number> = new Set([
  16, // NO_SUCH_COLUMN_IN_TABLE
  48, // NOT_IMPLEMENTED: an engine without INSERT
  unknownTable,
  81, // UNKNOWN_DATABASE
  115, // UNKNOWN_SETTING
  164, // READONLY
  192, // UNKNOWN_USER
  193, // WRONG_PASSWORD
  194, // REQUIRED_PASSWORD
  291, // DATABASE_ACCESS_DENIED
  452, // SETTING_CONSTRAINT_VIOLATION
  497, // ACCESS_DENIED
  516, // AUTHENTICATION_FAILED
]);

/** A row that can't be taken, as the table's own types, materialized columns and constraints have it. */
const splitCodes: ReadonlySet<number> = new Set([
  6, // CANNOT_PARSE_TEXT
  25, // CANNOT_PARSE_ESCAPE_SEQUENCE
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  53, // TYPE_MISMATCH
  69, // ARGUMENT_OUT_OF_BOUND
  70, // CANNOT_CONVERT_TYPE
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
  349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  376, // CANNOT_PARSE_UUID
  441, // CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING
  467, // CANNOT_PARSE_BOOL
  469, // VIOLATED_CONSTRAINT
  675, // CANNOT_PARSE_IPV4
  676, // CANNOT_PARSE_IPV6
]);

const maxReasonLength = 400;
const maxRetryAfterMs = 3_600_000;

/** What an answer to an INSERT means for its rows. `now`: milliseconds since the epoch, for a `Retry-After` with a date. */
export function judgeAnswer(answer: Answer, now = Date.now()): SendOutcome {
  if (answer.kind === "failed") return judgeFailure(answer.error);
  const code = exceptionCode(answer);
  if (code !== undefined) {
    const reason = `exception ${code}: ${oneLine(answer.body)}`;
    if (holdCodes.has(code)) return { kind: "hold", reason };
    if (splitCodes.has(code)) return { kind: "split", reason };
    return retry(reason, answer, now);
  }
  return judgeStatus(answer, now);
}

/** The exception that an answer carries, with any status, at the beginning or late in its body. */
export function exceptionCode(answer: Answer): number | undefined {
  if (answer.kind === "failed") return undefined;
  const { exceptionCode, body } = answer;
  // "Code: 60. DB::Exception: …" now, "Code: 60, e.displayText() = DB::Exception: …" before 20.x. The first one
  // counts: its text may quote an event, and what an attacker wrote into that.
  const text = exceptionCode ?? /Code: (\d{1,9})[.,][^\n]{0,40}DB::/.exec(body)?.[1] ?? "";
  const code = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return code > 0 ? code : undefined;
}

type Answered = Extract<Answer, { kind: "answered" }>;

function judgeStatus(answer: Answered, now: number): SendOutcome {
  const { status, body } = answer;
  const text = oneLine(body);
  // ClickHouse answers an INSERT with nothing. Whoever says something has perhaps never seen it: a sign-in page.
  if (status === 200 && body === "") return { kind: "delivered" };
  if (status === 200) return retry(`HTTP 200 with a text that no INSERT answers: ${text}`, answer, now);
  const reason = text === "" ? `HTTP ${status}` : `HTTP ${status}: ${text}`;
  if (status === 413) return { kind: "split", reason };
  if (status >= 300 && status < 400)
    return { kind: "hold", reason: `HTTP ${status}: redirects are not followed` };
  // No exception with it, so no ClickHouse said it: a proxy did, or the URL is another server's.
  if ([401, 403, 404, 405, 407].includes(status)) return { kind: "hold", reason };
  return retry(reason, answer, now);
}

function judgeFailure(error: unknown): SendOutcome {
  if (!(error instanceof Error)) return { kind: "retry", reason: `no answer: ${oneLine(String(error))}` };
  if (error.name === "TimeoutError") return { kind: "retry", reason: "no answer in time" };
  if (error.name === "AbortError") return { kind: "retry", reason: "given up while waiting for the answer" };
  const code = "code" in error && typeof error.code === "string" ? error.code : error.message;
  const reason = `no answer: ${oneLine(code)}`;
  // OpenSSL's names for certificates that are not trusted, expired or another host's.
  const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(code);
  return { kind: isCertificate ? "hold" : "retry", reason };
}

function retry(reason: string, answer: Answered, now: number): SendOutcome {
  const retryAfterMs = parseRetryAfter(answer.retryAfter, now);
  return { kind: "retry", reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** RFC 9110, section 10.2.3: seconds, or a date. Past an hour it is taken for an hour. */
function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const waitMs = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return waitMs >= 0 ? Math.min(waitMs, maxRetryAfterMs) : undefined;
}

/** For a line of the log: what came from outside without its line breaks and control characters, and not all of it. */
function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > maxReasonLength ? `${line.slice(0, maxReasonLength)}…` : line;
}
