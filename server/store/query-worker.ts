import type { QueryMessage, QueryRequest } from "./query-messages.ts";
import { QueryEngine } from "./search/query-engine.ts";

/*
 * The worker that answers queries about the store, so that ingest and delivery never wait for one. It computes one query at
 * a time. It is an entry point of the executable (scripts/compile.ts).
 */

declare const self: Worker;

/** How long queries compute before the memory of what they read is freed: Bun would leave it for long. */
const collectAfterMs = 50;

class QueryWorker {
  readonly #engine: QueryEngine;
  #running: { readonly id: number; readonly cancel: AbortController } | undefined;
  #uncollectedMs = 0;

  constructor(dir: string) {
    this.#engine = new QueryEngine(dir, { onTurn: (ms) => this.#collect(ms) });
  }

  async answer({ id, query, deadlineMs }: QueryRequest & { kind: "query" }): Promise<void> {
    const cancel = new AbortController();
    this.#running = { id, cancel };
    try {
      const answer = await this.#engine.answer(query, {
        deadlineMs,
        signal: cancel.signal,
        onProgress: (progress) => send({ kind: "progress", id, progress }),
      });
      send({ kind: "answer", id, answer });
    } catch (error) {
      const { name, message } = error as Error;
      send({ kind: "failure", id, failure: { name, message } });
    }
  }

  cancel(id: number): void {
    if (this.#running?.id === id) this.#running.cancel.abort();
  }

  #collect(ms: number): void {
    this.#uncollectedMs += ms;
    if (this.#uncollectedMs < collectAfterMs) return;
    this.#uncollectedMs = 0;
    Bun.gc(true);
  }
}

let worker: QueryWorker | undefined;

self.onmessage = ({ data }: MessageEvent<QueryRequest>) => {
  switch (data.kind) {
    case "open":
      worker = new QueryWorker(data.dir);
      return;
    case "query":
      void worker?.answer(data);
      return;
    case "cancel":
      worker?.cancel(data.id);
  }
};

function send(message: QueryMessage): void {
  self.postMessage(message);
}
