import type { StoredEvent } from "../../pipeline.ts";
import type { SendOutcome } from "../output.ts";
import type { ClusterAnswer } from "./client.ts";
import { errorText, objectOr } from "./error-text.ts";

/**
 * What of an answer to `_bulk` the judgement needs; keeps answers small. The items keep their order and number, since
 * each has a status. `error` is there for answers that refuse the whole request.
 */
export const bulkAnswerFilter =
  "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason,error.type,error.reason";

/** What an answer may be at most: a status for each event, and reasons, which quote fields of the documents, even twice. */
export function maxBulkAnswerBytes(events: readonly StoredEvent[]): number {
  const documentBytes = events.reduce((sum, { document }) => sum + document.length, 0);
  return 64 * 1024 + 4 * 1024 * events.length + 4 * documentBytes;
}

/** Judges an answer to `_bulk` by its status, and with status 200 by each item's own. */
export function judgeAnswer(answer: ClusterAnswer, events: readonly StoredEvent[]): SendOutcome {
  if (answer.status === 200) return judgeItems(answer, events);
  const error = objectOr(answer.json).error;
  const text = errorText(error);
  const reason = text === "" ? `HTTP ${answer.status}` : `HTTP ${answer.status} ${text}`;
  // A cluster that is read-only for a while answers 403 too.
  if (objectOr(error).type !== "cluster_block_exception") {
    if (answer.status === 400 || answer.status === 413) return { kind: "split", reason };
    if (answer.status === 401 || answer.status === 403) return { kind: "hold", reason };
    if (answer.status === 404)
      return { kind: "hold", reason: `${reason}; is elasticsearch_url an Elasticsearch?` };
    if (answer.status >= 300 && answer.status < 400)
      return { kind: "hold", reason: `${reason}; redirects are not followed, set elasticsearch_url` };
  }
  return { kind: "retry", reason, ...(answer.retryAfterMs && { retryAfterMs: answer.retryAfterMs }) };
}

interface BulkItem {
  readonly status: number;
  readonly error: unknown;
}

function judgeItems(answer: ClusterAnswer, events: readonly StoredEvent[]): SendOutcome {
  const items = readItems(answer.json);
  // Whatever of it is in, `create` says so the next time.
  if (items === undefined)
    return { kind: "retry", reason: "HTTP 200 with an answer that is cut, too large or not a bulk answer" };
  if (items.length !== events.length)
    return { kind: "retry", reason: `HTTP 200 with ${items.length} items for ${events.length} events` };

  const refused: { event: StoredEvent; reason: string }[] = [];
  const retry: StoredEvent[] = [];
  let retryReason = "";
  for (const [index, event] of events.entries()) {
    const item = items[index] ?? { status: 0, error: undefined };
    const verdict = judgeItem(item);
    if (verdict === "in") continue;
    const reason = `HTTP ${item.status} ${errorText(item.error)}`.trimEnd();
    // All of it again once somebody has mended it: what is in by then answers 409.
    if (verdict === "hold") return { kind: "hold", reason };
    if (verdict === "refused") refused.push({ event, reason });
    else {
      if (retry.length === 0) retryReason = reason;
      retry.push(event);
    }
  }
  if (retry.length > 0)
    return {
      kind: "judged",
      refused,
      retry,
      reason: `${retry.length} of ${events.length} events: ${retryReason}`,
    };
  const [first] = refused;
  if (first === undefined) return { kind: "delivered" };
  const reason = `${refused.length} of ${events.length} events refused: ${first.reason}`;
  return { kind: "judged", refused, retry, reason };
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

function judgeItem({ status, error }: BulkItem): "in" | "again" | "refused" | "hold" {
  if ((status >= 200 && status < 300) || status === 409) return "in";
  if (status === 429 || status < 400 || status >= 500) return "again";
  const type = objectOr(error).type;
  // A write block: 429 where the disk is full, 403 in older versions and where an operator set it.
  if (type === "cluster_block_exception") return "again";
  if (status === 401 || status === 403 || isAboutTheIndex(type, objectOr(error).reason)) return "hold";
  return "refused";
}

const indexErrors: readonly unknown[] = [
  // index creation is switched off (action.auto_create_index), or the alias is gone
  "index_not_found_exception",
  "index_closed_exception",
  "invalid_index_name_exception",
];

/**
 * The index can't take any event, so no event is to blame. Some such errors come as a common 400 and are told by their
 * words alone: the limit of shards reached, an alias without a write index, a pipeline that is gone. Only by how they
 * begin: further on they may quote an attacker, who must not be able to hold deliveries up.
 */
function isAboutTheIndex(type: unknown, reason: unknown): boolean {
  if (indexErrors.includes(type)) return true;
  if (type !== "validation_exception" && type !== "illegal_argument_exception") return false;
  return (
    typeof reason === "string" &&
    /^(Validation Failed: 1: )?this action would add \[|^no write index|^pipeline with id/.test(reason)
  );
}
