import { gzip } from "node:zlib";
import type { Log } from "../../telemetry/log.ts";
import type { Delivery, Output, SendOutcome } from "../output.ts";
import { withoutSecrets } from "../without-secrets.ts";
import { type ClusterRequest, createClusterClient } from "./client.ts";
import { bulkBody } from "./encode.ts";
import { createIndexNamer } from "./index-names.ts";
import { installIndexTemplate } from "./install-template.ts";
import { bulkAnswerFilter, judgeAnswer, maxBulkAnswerBytes } from "./judge-answer.ts";

export interface ElasticsearchOptions {
  /** At least one, tried in turn; `http://` or `https://`, a path allowed. */
  readonly urls: readonly string[];
  /** An index, an alias or a data stream; `%Y %m %d` stand for the day of receipt in UTC. */
  readonly index: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Wins over user and password: the encoded key, or `id:key`. */
  readonly apiKey: string | undefined;
  /** A file of certificates in PEM to trust instead of the system's. */
  readonly caFile: string | undefined;
  readonly installTemplate: boolean;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Below it there is nothing to win. */
const minPackedBytes = 4096;

/**
 * Delivers to Elasticsearch from 7.8 and OpenSearch: one document an event through `_bulk`. Its `_id` comes from the
 * outbox, so what is sent again is not in twice, as long as it goes to the same index: a data stream or an alias that
 * rolled over between two attempts can't tell.
 * @throws Error when `caFile` can't be read.
 */
export function createElasticsearchOutput(options: ElasticsearchOptions): Output {
  const { index, log, now = Date.now } = options;
  const client = createClusterClient({ ...options, now });
  const closed = new AbortController();
  const indexOf = createIndexNamer(index);
  let isTemplateReady = !options.installTemplate;

  async function send(delivery: Delivery, signal: AbortSignal): Promise<SendOutcome> {
    const until = AbortSignal.any([signal, closed.signal]);
    if (!isTemplateReady) {
      const obstacle = await installIndexTemplate(client, index, log, until);
      if (obstacle !== undefined) return obstacle;
      isTemplateReady = true;
    }
    const answer = await client.request(
      {
        method: "POST",
        path: `/_bulk?filter_path=${bulkAnswerFilter}`,
        contentType: "application/x-ndjson",
        ...(await pack(bulkBody(delivery, indexOf))),
        maxAnswerBytes: maxBulkAnswerBytes(delivery.events),
      },
      until,
    );
    if ("failure" in answer) return { kind: answer.isLasting ? "hold" : "retry", reason: answer.failure };
    return judgeAnswer(answer, delivery.events);
  }

  return withoutSecrets({ name: "elasticsearch", send, close: () => closed.abort() }, options);
}

/** On a thread of the pool, at level 1: a fifth of the bytes for 2 ms a megabyte. Every version takes gzip. */
async function pack(body: Buffer): Promise<Pick<ClusterRequest, "body" | "contentEncoding">> {
  if (body.length < minPackedBytes) return { body };
  const packed = await new Promise<Buffer>((resolve, reject) =>
    gzip(body, { level: 1 }, (error, result) => (error ? reject(error) : resolve(result))),
  );
  return { body: packed, contentEncoding: "gzip" };
}
