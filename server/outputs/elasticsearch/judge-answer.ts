import type { StoredEvent } from "../../pipeline.ts";
import type { RejectedEvent, SendOutcome } from "../output.ts";
import type { ClusterAnswer } from "./client.ts";
import { errorText, objectOr } from "./error-text.ts";

/**
 * The parts of an answer to `_bulk` that are needed to judge it; keeps answers small. The items keep their order and number,
 * because each has a status. `error` is needed for answers that refuse the whole request.
 */
export const bulkAnswerFilter =
  "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason,error.type,error.reason";

/** The largest answer to expect: a status for each event, and reasons, which may quote fields of the documents twice. */
export function maxBulkAnswerBytes(events: readonly StoredEvent[]): number {
  const documentBytes = events.reduce((sum, { document }) => sum + document.length, 0);
  return 64 * 1024 + 4 * 1024 * events.length + 4 * documentBytes;
}

/** What the server did with each event. Events in neither list were accepted. */
export interface JudgedItems {
  readonly kind: "items";
  readonly rejected: readonly RejectedEvent[];
  readonly retry: readonly RejectedEvent[];
}

/** An outcome that concerns all events of a request in the same way. */
export type WholeOutcome = Extract<SendOutcome, { kind: "retry" | "hold" | "split" }>;

/** Judges an answer to `_bulk` by its status, and if that is 200 by the status of each item. */
export function judgeAnswer(
  answer: ClusterAnswer,
  events: readonly StoredEvent[],
): JudgedItems | WholeOutcome {
  const { status } = answer;
  if (status === 200) return judgeItems(answer, events);
  const error = objectOr(answer.json).error;
  const text = errorText(error);
  const reason = text === "" ? `HTTP ${status}` : `HTTP ${status} ${text}`;
  if (status === 413) return { kind: "split", reason };
  if (status >= 300 && status < 400)
    return { kind: "hold", reason: `${reason}; redirects are not followed, change elasticsearch_url` };
  if (status === 404)
    return { kind: "hold", reason: `${reason}; is elasticsearch_url an Elasticsearch server?` };
  // A document that the server cannot store gets an item of its own. A request that is refused as a whole is refused for a
  // setting, and would be for any events. A cluster that is temporarily read-only answers 403 too.
  const isTemporary = status === 408 || status === 429 || objectOr(error).type === "cluster_block_exception";
  if (status >= 400 && status < 500 && !isTemporary) return { kind: "hold", reason };
  return { kind: "retry", reason, ...(answer.retryAfterMs && { retryAfterMs: answer.retryAfterMs }) };
}

/** @param total the number of events that were sent */
export function outcomeOf({ rejected, retry }: JudgedItems, total: number): SendOutcome {
  const [what, first] = retry.length > 0 ? [retry, retry[0]] : [rejected, rejected[0]];
  if (first === undefined) return { kind: "delivered" };
  const count = `${what.length} of ${total} events`;
  const reason = `${count}${retry.length > 0 ? "" : " rejected"}: ${first.reason}`;
  return { kind: "judged", rejected, retry: retry.map(({ event }) => event), reason };
}

interface BulkItem {
  readonly status: number;
  readonly error: unknown;
}

function judgeItems(answer: ClusterAnswer, events: readonly StoredEvent[]): JudgedItems | WholeOutcome {
  const items = readItems(answer.json);
  // Events that were accepted nevertheless answer 409 to the retry.
  if (items === undefined)
    return {
      kind: "retry",
      reason: "HTTP 200 with an answer that is cut off, too large or not a bulk answer",
    };
  if (items.length !== events.length)
    return { kind: "retry", reason: `HTTP 200 with ${items.length} items for ${events.length} events` };

  const rejected: RejectedEvent[] = [];
  const retry: RejectedEvent[] = [];
  for (const [index, event] of events.entries()) {
    const item = items[index] ?? { status: 0, error: undefined };
    const verdict = judgeItem(item);
    if (verdict === "accepted") continue;
    const reason = `HTTP ${item.status} ${errorText(item.error)}`.trimEnd();
    // All events are sent again once somebody has fixed it. Events that were accepted answer 409 then.
    if (verdict === "hold") return { kind: "hold", reason };
    (verdict === "rejected" ? rejected : retry).push({ event, reason });
  }
  return { kind: "items", rejected, retry };
}

function readItems(json: unknown): BulkItem[] | undefined {
  const { items } = objectOr(json);
  if (!Array.isArray(items)) return undefined;
  const read: BulkItem[] = [];
  for (const item of items) {
    const { status, error } = objectOr(objectOr(item).create);
    if (typeof status !== "number" || !Number.isInteger(status)) return undefined;
    read.push({ status, error });
  }
  return read;
}

function judgeItem({ status, error }: BulkItem): "accepted" | "retry" | "rejected" | "hold" {
  // 409: an earlier attempt has stored the event.
  if ((status >= 200 && status < 300) || status === 409) return "accepted";
  const type = objectOr(error).type;
  if (status === 500 && documentFaults.includes(type)) return "rejected";
  if (status === 429 || status < 400 || status >= 500) return "retry";
  // A write block: 429 if the disk is full, 403 in older versions and if an operator has set it.
  if (type === "cluster_block_exception") return "retry";
  if (status === 401 || status === 403 || isAboutTheIndex(type, objectOr(error).reason)) return "hold";
  return "rejected";
}

/**
 * Errors of an operator's ingest pipeline, and of code that reads a document. Their items have the status 500, like those of a
 * disk that fails, but the same document causes them again in every attempt.
 */
const documentFaults: readonly unknown[] = [
  "fail_processor_exception",
  "ingest_processor_exception",
  "script_exception",
  // version 7 wraps the error of a pipeline in it
  "exception",
  "arithmetic_exception",
  "array_index_out_of_bounds_exception",
  "class_cast_exception",
  "date_time_exception",
  "date_time_parse_exception",
  "index_out_of_bounds_exception",
  "null_pointer_exception",
  "number_format_exception",
  "string_index_out_of_bounds_exception",
  "unsupported_operation_exception",
];

const indexErrors: readonly unknown[] = [
  // index creation is disabled (action.auto_create_index), or the alias was deleted
  "index_not_found_exception",
  "index_closed_exception",
  "invalid_index_name_exception",
  // an alias of the template has the name of an index
  "invalid_alias_name_exception",
  // the mapping makes routing mandatory
  "routing_missing_exception",
];

/**
 * Reasons that have no type of their own. Only their beginning counts, or the whole reason: further on, a reason may quote an
 * event, and an attacker whose event says "no write index" must not be able to block the delivery.
 */
const indexReasons = [
  // the limit of shards in the cluster
  /^(?:Validation Failed: 1: )?this action would add \[/,
  // the limit of documents in a shard, in the wording of the engine and of Lucene
  /^number of documents in the (?:index|shard) can(?:'t|not) exceed \[?2147483519\b/i,
  // an alias of several indices
  /^no write index/,
  // the wrong action for a data stream, or for a backing index of one
  /^only write ops with an op_type of create are allowed in data streams$/,
  /^index request with op_type=create targeting backing indices is disallowed/,
  /^pipeline with id/,
  // rest.action.multi.allow_explicit_index
  /^explicit index in bulk is not allowed$/,
];

/** True if the index cannot accept any event, so that the event is not the cause. */
function isAboutTheIndex(type: unknown, reason: unknown): boolean {
  if (indexErrors.includes(type)) return true;
  if (type !== "validation_exception" && type !== "illegal_argument_exception") return false;
  return typeof reason === "string" && indexReasons.some((pattern) => pattern.test(reason));
}
