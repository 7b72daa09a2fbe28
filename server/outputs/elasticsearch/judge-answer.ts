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

/** Judges an answer to `_bulk` by its status, and if that is 200 by the status of each item. */
export function judgeAnswer(answer: ClusterAnswer, events: readonly StoredEvent[]): SendOutcome {
  if (answer.status === 200) return judgeItems(answer, events);
  const error = objectOr(answer.json).error;
  const text = errorText(error);
  const reason = text === "" ? `HTTP ${answer.status}` : `HTTP ${answer.status} ${text}`;
  // A cluster that is temporarily read-only answers 403 too.
  if (objectOr(error).type !== "cluster_block_exception") {
    if (answer.status === 400 || answer.status === 413) return { kind: "split", reason };
    if (answer.status === 401 || answer.status === 403) return { kind: "hold", reason };
    if (answer.status === 404)
      return { kind: "hold", reason: `${reason}; is elasticsearch_url an Elasticsearch server?` };
    if (answer.status >= 300 && answer.status < 400)
      return { kind: "hold", reason: `${reason}; redirects are not followed, change elasticsearch_url` };
  }
  return { kind: "retry", reason, ...(answer.retryAfterMs && { retryAfterMs: answer.retryAfterMs }) };
}

interface BulkItem {
  readonly status: number;
  readonly error: unknown;
}

function judgeItems(answer: ClusterAnswer, events: readonly StoredEvent[]): SendOutcome {
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
  const retry: StoredEvent[] = [];
  let retryReason = "";
  for (const [index, event] of events.entries()) {
    const item = items[index] ?? { status: 0, error: undefined };
    const verdict = judgeItem(item);
    if (verdict === "accepted") continue;
    const reason = `HTTP ${item.status} ${errorText(item.error)}`.trimEnd();
    // All events are sent again once somebody has fixed it. Events that were accepted answer 409 then.
    if (verdict === "hold") return { kind: "hold", reason };
    if (verdict === "rejected") rejected.push({ event, reason });
    else {
      if (retry.length === 0) retryReason = reason;
      retry.push(event);
    }
  }
  if (retry.length > 0)
    return {
      kind: "judged",
      rejected,
      retry,
      reason: `${retry.length} of ${events.length} events: ${retryReason}`,
    };
  const [first] = rejected;
  if (first === undefined) return { kind: "delivered" };
  const reason = `${rejected.length} of ${events.length} events rejected: ${first.reason}`;
  return { kind: "judged", rejected, retry, reason };
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
  if (status === 429 || status < 400 || status >= 500) return "retry";
  const type = objectOr(error).type;
  // A write block: 429 if the disk is full, 403 in older versions and if an operator has set it.
  if (type === "cluster_block_exception") return "retry";
  if (status === 401 || status === 403 || isAboutTheIndex(type, objectOr(error).reason)) return "hold";
  return "rejected";
}

const indexErrors: readonly unknown[] = [
  // index creation is disabled (action.auto_create_index), or the alias was deleted
  "index_not_found_exception",
  "index_closed_exception",
  "invalid_index_name_exception",
];

/**
 * The beginnings of reasons that have no type of their own: the limit of shards is reached, an alias has no write index, a
 * pipeline does not exist. Only the beginning counts. Further on a reason may quote an event, and an attacker whose event
 * says "no write index" must not be able to block the delivery.
 */
const indexReasons = [
  /^(?:Validation Failed: 1: )?this action would add \[/,
  /^no write index/,
  /^pipeline with id/,
];

/** True if the index cannot accept any event, so that the event is not the cause. */
function isAboutTheIndex(type: unknown, reason: unknown): boolean {
  if (indexErrors.includes(type)) return true;
  if (type !== "validation_exception" && type !== "illegal_argument_exception") return false;
  return typeof reason === "string" && indexReasons.some((pattern) => pattern.test(reason));
}
