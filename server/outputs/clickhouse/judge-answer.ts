import { reasonText } from "../../http/reason-text.ts";
import { type HttpFailure, outcomeOfFailure } from "../http/failure.ts";
import type { SendOutcome } from "../output.ts";
import type { ClickhouseAnswer } from "./client.ts";

/** The code of the exception for a table that does not exist. */
export const unknownTable = 60;

/*
 * The exception code decides, not the HTTP status: a bad row and a server out of memory both have status 500.
 * Names and numbers: src/Common/ErrorCodes.cpp of ClickHouse. An exception in none of the lists may be about a row or about
 * the server ("suspect"), because a table can evaluate any function for each row; delivery finds out which.
 */

/** Nothing can be inserted until somebody fixes the table, the account or the settings. */
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

/** A row does not fit the types, materialized columns or constraints of the table. */
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

/** The server is busy, or what it did with the INSERT is unknown: never about a row. */
const retryCodes: ReadonlySet<number> = new Set([
  159, // TIMEOUT_EXCEEDED
  198, // DNS_ERROR
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  203, // NO_FREE_CONNECTION
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  225, // NO_ZOOKEEPER
  236, // ABORTED
  241, // MEMORY_LIMIT_EXCEEDED
  242, // TABLE_IS_READ_ONLY
  243, // NOT_ENOUGH_SPACE
  252, // TOO_MANY_PARTS, except when it is about the partitions of one block
  285, // TOO_FEW_LIVE_REPLICAS
  286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  319, // UNKNOWN_STATUS_OF_INSERT
  394, // QUERY_WAS_CANCELLED
  425, // SYSTEM_ERROR
  439, // CANNOT_SCHEDULE_TASK
  999, // KEEPER_EXCEPTION
]);

const tooManyParts = 252;
/** Code 252 with this text is about the rows of one INSERT: fewer rows have fewer partitions. Newer versions add the limit. */
const tooManyPartitions = /DB::Exception: Too many partitions for single INSERT block/;

/** What an answer to an INSERT means for its rows. */
export function judgeAnswer(answer: ClickhouseAnswer | HttpFailure): SendOutcome {
  if (answer.kind === "failed") return outcomeOfFailure(answer);
  const code = exceptionCode(answer);
  if (code === undefined) return judgeStatus(answer);
  const reason = `exception ${code}: ${reasonText(answer.body)}`;
  if (holdCodes.has(code)) return { kind: "hold", reason };
  if (splitCodes.has(code) || (code === tooManyParts && isAboutPartitions(answer.body)))
    return { kind: "split", reason };
  if (retryCodes.has(code)) return retry(reason, answer);
  return { kind: "suspect", key: `exception ${code}`, reason };
}

/** Only at the beginning of the text: further on it may quote an event, which an attacker wrote. */
function isAboutPartitions(body: string): boolean {
  return tooManyPartitions.test(body.slice(0, 200));
}

/** The exception in an answer with any status, at the beginning of its body or further on. */
export function exceptionCode(answer: ClickhouseAnswer | HttpFailure): number | undefined {
  if (answer.kind === "failed") return undefined;
  const { exceptionCode, body } = answer;
  // "Code: 60. DB::Exception: …" now, "Code: 60, e.displayText() = DB::Exception: …" before 20.x. The first match
  // counts, because the exception's text may quote an event, which an attacker wrote.
  const text = exceptionCode ?? /Code: (\d{1,9})[.,][^\n]{0,40}DB::/.exec(body)?.[1] ?? "";
  const code = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return code > 0 ? code : undefined;
}

function judgeStatus(answer: ClickhouseAnswer): SendOutcome {
  const { status, body, isWhole } = answer;
  const text = reasonText(body);
  if (status === 200 && !isWhole) return retry("HTTP 200 with an answer that is cut off or too long", answer);
  if (status === 200 && body === "") return { kind: "delivered" };
  // ClickHouse answers an INSERT with an empty body. Any other answer may come from a proxy, such as a sign-in page.
  if (status === 200) return retry(`HTTP 200 with text that is not an answer to INSERT: ${text}`, answer);
  const reason = text === "" ? `HTTP ${status}` : `HTTP ${status}: ${text}`;
  if (status === 413) return { kind: "split", reason };
  if (status >= 300 && status < 400)
    return { kind: "hold", reason: `HTTP ${status}: redirects are not followed` };
  // The answer has no exception, so it does not come from ClickHouse: a proxy sent it, or the URL is another server's.
  if ([401, 403, 404, 405, 407].includes(status)) return { kind: "hold", reason };
  return retry(reason, answer);
}

function retry(reason: string, { retryAfterMs }: ClickhouseAnswer): SendOutcome {
  return { kind: "retry", reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
