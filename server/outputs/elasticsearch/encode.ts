import type { StoredEvent } from "../../pipeline.ts";

const newline = Buffer.from("\n");

/** An event as it is sent. The document differs from the event's if the server cannot store that one. */
export interface BulkDocument {
  readonly event: StoredEvent;
  readonly document: Buffer;
}

/**
 * The body of `POST /<index>/_bulk`: for each event a line with a `create` action, and a line with its document. No action
 * names the index, because a cluster with `rest.action.multi.allow_explicit_index: false` refuses that.
 *
 * `create` never overwrites, and the `_id` is the same in each attempt: a document that is stored already answers 409.
 * @see https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
export function bulkBody(outboxId: string, documents: readonly BulkDocument[]): Buffer {
  const parts: Buffer[] = [];
  for (const { event, document } of documents) {
    const create = { _id: `${outboxId}-${event.sequence}` };
    parts.push(Buffer.from(`${JSON.stringify({ create })}\n`), document, newline);
  }
  return Buffer.concat(parts);
}
