import type { Delivery } from "../output.ts";

const newline = Buffer.from("\n");

/**
 * The body of `POST /_bulk`: for each event a line with a `create` action, and a line with its document.
 *
 * `create` never overwrites, and the `_id` is the same in each attempt: a document that is stored already answers 409.
 * @see https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
export function bulkBody({ outboxId, events }: Delivery, indexOf: (receivedAt: number) => string): Buffer {
  const parts: Buffer[] = [];
  for (const { sequence, receivedAt, document } of events) {
    const create = { _index: indexOf(receivedAt), _id: `${outboxId}-${sequence}` };
    parts.push(Buffer.from(`${JSON.stringify({ create })}\n`), document, newline);
  }
  return Buffer.concat(parts);
}
