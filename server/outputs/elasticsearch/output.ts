import type { Log } from "../../telemetry/log.ts";
import { withoutSecrets } from "../http/without-secrets.ts";
import type { Delivery, Output, SendOutcome } from "../output.ts";
import { sendBatch } from "./bulk.ts";
import { chooseIndex, singleIndex } from "./choose-index.ts";
import { createClusterClient } from "./client.ts";
import { createIndexNamer } from "./index-names.ts";
import { installIndexTemplate } from "./install-template.ts";

export interface ElasticsearchOptions {
  /** At least one, tried in turn; `http://` or `https://`, a path allowed. */
  readonly url: readonly string[];
  /** An index, an alias or a data stream; `%Y %m %d` stand for the day of receipt in UTC. undefined: see {@link chooseIndex}. */
  readonly index: string | undefined;
  readonly user: string | undefined;
  readonly pass: string | undefined;
  /** Used instead of user and password: the encoded key, or `id:key`. */
  readonly apiKey: string | undefined;
  /** Certificates in PEM that are trusted instead of the system's. */
  readonly certificateAuthorities: string | undefined;
  readonly installTemplate: boolean;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * Delivers to Elasticsearch from 7.8 and OpenSearch: each event is one document, sent with `_bulk`. The outbox determines
 * its `_id`, so a retry does not store it twice in the same index. It can be stored twice if a data stream or an alias
 * rolled over between two attempts.
 */
export function createElasticsearchOutput(options: ElasticsearchOptions): Output {
  const { url: urls, user, pass: password, apiKey, certificateAuthorities, now = Date.now } = options;
  const log = options.log.component("elasticsearch");
  const credentials = { user, password, apiKey };
  const client = createClusterClient({ urls, credentials, certificateAuthorities, log, now });
  const closed = new AbortController();
  let indexOf = options.index === undefined ? undefined : createIndexNamer(options.index);
  let isTemplateReady = !options.installTemplate;

  async function send(delivery: Delivery, signal: AbortSignal): Promise<SendOutcome> {
    const until = AbortSignal.any([signal, closed.signal]);
    if (indexOf === undefined) {
      // The choice holds until Loom ends, so that a retry goes to the same index.
      const choice = await chooseIndex(client, log, until);
      if (choice.kind !== "chosen") return choice;
      indexOf = createIndexNamer(choice.index);
    }
    if (!isTemplateReady) {
      const target = { pattern: options.index ?? singleIndex, index: indexOf(now()) };
      const obstacle = await installIndexTemplate(client, target, log, until);
      if (obstacle !== undefined) return obstacle;
      isTemplateReady = true;
    }
    return sendBatch(client, delivery, indexOf, until);
  }

  return withoutSecrets({ name: "elasticsearch", send, close: () => closed.abort() }, credentials);
}
