import type { QueryOptions } from "../history/history-reader.ts";
import { SerialQueue } from "../serial-queue.ts";
import type { QueryRunner } from "./query-runner.ts";
import { QueryEngine } from "./search/query-engine.ts";
import type { StoreAnswers, StoreQuery } from "./search/store-query.ts";

/** Runs queries in this thread, one at a time: for the command line. */
export class LocalQueries implements QueryRunner {
  readonly #engine: QueryEngine;
  readonly #queue = new SerialQueue();

  constructor(dir: string) {
    this.#engine = new QueryEngine(dir);
  }

  run<Kind extends StoreQuery["kind"]>(
    query: StoreQuery & { readonly kind: Kind },
    options: QueryOptions = {},
  ): Promise<StoreAnswers[Kind]> {
    return this.#queue.run(() => this.#engine.answer<Kind>(query, options));
  }

  async close(): Promise<void> {
    await this.#queue.settled();
    this.#engine.close();
  }
}
