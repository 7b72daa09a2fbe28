import { outcomeOfFailure } from "../http/failure.ts";
import { compress } from "../http/gzip.ts";
import type { Delivery, RejectedEvent, SendOutcome } from "../output.ts";
import type { ClusterClient } from "./client.ts";
import { withoutDuplicateKeys } from "./duplicate-keys.ts";
import { type BulkDocument, bulkBody } from "./encode.ts";
import {
  bulkAnswerFilter,
  type JudgedItems,
  judgeAnswer,
  maxBulkAnswerBytes,
  outcomeOf,
  type WholeOutcome,
} from "./judge-answer.ts";

/**
 * Sends a batch, with one request for each index that its events go to: a batch that was received around midnight goes to
 * two. A request that fails as a whole is the outcome of the batch. Events of other requests that were accepted answer 409
 * when the batch is sent again.
 */
export async function sendBatch(
  client: ClusterClient,
  { outboxId, events }: Delivery,
  indexOf: (receivedAt: number) => string,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const documentsOf = new Map<string, BulkDocument[]>();
  for (const event of events) {
    const index = indexOf(event.receivedAt);
    const documents = documentsOf.get(index) ?? [];
    documents.push({ event, document: event.document });
    documentsOf.set(index, documents);
  }
  const judged: JudgedItems[] = [];
  for (const [index, documents] of documentsOf) {
    const outcome = await sendStorable(client, { index, outboxId, documents }, signal);
    if (outcome.kind !== "items") return outcome;
    judged.push(outcome);
  }
  const rejected = inOrder(judged.flatMap((items) => items.rejected));
  const retry = inOrder(judged.flatMap((items) => items.retry));
  return outcomeOf({ kind: "items", rejected, retry }, events.length);
}

function inOrder(events: readonly RejectedEvent[]): RejectedEvent[] {
  return events.toSorted((a, b) => a.event.sequence - b.event.sequence);
}

interface BulkRequest {
  readonly index: string;
  readonly outboxId: string;
  readonly documents: readonly BulkDocument[];
}

/**
 * Sends documents of one index. No version stores an object with the same key twice, so rejected documents that have such
 * keys are sent again without the earlier ones.
 */
async function sendStorable(
  client: ClusterClient,
  request: BulkRequest,
  signal: AbortSignal,
): Promise<JudgedItems | WholeOutcome> {
  const first = await sendRequest(client, request, signal);
  if (first.kind !== "items") return first;
  const documents: BulkDocument[] = [];
  for (const { event } of first.rejected) {
    const document = withoutDuplicateKeys(event.document);
    if (document !== undefined) documents.push({ event, document });
  }
  if (documents.length === 0) return first;
  const second = await sendRequest(client, { ...request, documents }, signal);
  if (second.kind !== "items") return second;
  const sentAgain = new Set(documents.map(({ event }) => event));
  const rejected = first.rejected.filter(({ event }) => !sentAgain.has(event));
  return {
    kind: "items",
    rejected: [...rejected, ...second.rejected],
    retry: [...first.retry, ...second.retry],
  };
}

async function sendRequest(
  client: ClusterClient,
  { index, outboxId, documents }: BulkRequest,
  signal: AbortSignal,
): Promise<JudgedItems | WholeOutcome> {
  const events = documents.map(({ event }) => event);
  const answer = await client.request(
    {
      method: "POST",
      path: `/${encodeURIComponent(index)}/_bulk?filter_path=${bulkAnswerFilter}`,
      contentType: "application/x-ndjson",
      ...(await compress(bulkBody(outboxId, documents))),
      maxAnswerBytes: maxBulkAnswerBytes(events),
    },
    signal,
  );
  return answer.kind === "failed" ? outcomeOfFailure(answer) : judgeAnswer(answer, events);
}
