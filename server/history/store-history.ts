import type { ColumnName } from "../event/columns.ts";
import type { Query } from "../query/query.ts";
import type { FirstSeenColumn } from "../store/first-seen/answers.ts";
import { LocalQueries } from "../store/local-queries.ts";
import { QueryClient } from "../store/query-client.ts";
import type { QueryRunner } from "../store/query-runner.ts";
import {
  type HistoryEvent,
  type HistoryReader,
  HistoryUnavailable,
  type QueryOptions,
} from "./history-reader.ts";

const maxExports = 4;
/** How long a piece of an export may take, before other queries have their turn. */
const exportTurnMs = 250;

/** Reads the events of a store. */
export class StoreHistory implements HistoryReader {
  readonly #queries: QueryRunner;
  #exports = 0;

  constructor(queries: QueryRunner) {
    this.#queries = queries;
  }

  /** Searches in a worker: for a running Loom. */
  static inWorker(dir: string): StoreHistory {
    return new StoreHistory(new QueryClient({ dir }));
  }

  /** Searches in this thread: for a command, also beside a running Loom. */
  static inThread(dir: string): StoreHistory {
    return new StoreHistory(new LocalQueries(dir));
  }

  coverage() {
    return this.#queries.run({ kind: "coverage" });
  }

  events(
    query: Query,
    page: { readonly limit: number; readonly cursor?: string | undefined },
    options?: QueryOptions,
  ) {
    return this.#queries.run({ kind: "events", query, page }, options);
  }

  async event(id: string, options?: QueryOptions) {
    if (!/^[1-9]\d{0,15}$/.test(id)) return undefined;
    return this.#queries.run({ kind: "event", number: Number(id) }, options);
  }

  count(query: Query, options?: QueryOptions) {
    return this.#queries.run({ kind: "count", query }, options);
  }

  top(query: Query, column: ColumnName, limit: number, options?: QueryOptions) {
    return this.#queries.run({ kind: "top", query, column, limit }, options);
  }

  histogram(
    query: Query,
    range: { readonly from: number; readonly to: number; readonly intervalMs: number },
    options?: QueryOptions,
  ) {
    return this.#queries.run({ kind: "histogram", query, range }, options);
  }

  async newValues(column: FirstSeenColumn, since: number, limit: number, options?: QueryOptions) {
    return known(await this.#queries.run({ kind: "newValues", column, since, limit }, options));
  }

  async firstSeen(column: FirstSeenColumn, value: string | number, options?: QueryOptions) {
    return known(await this.#queries.run({ kind: "firstSeen", column, value }, options));
  }

  /**
   * The events that are stored when the export begins. It is computed in pieces, between which other queries have their
   * turn, so that neither waits for the other to end. An event that expires before it is reached is not exported.
   */
  async *export(
    query: Query,
    { signal, onProgress }: Pick<QueryOptions, "signal" | "onProgress"> = {},
  ): AsyncGenerator<readonly HistoryEvent[]> {
    if (this.#exports >= maxExports)
      throw new HistoryUnavailable(`${maxExports} exports are running already; try again later`);
    this.#exports++;
    const options = { deadlineMs: exportTurnMs, ...(signal ? { signal } : {}) };
    try {
      const all = await this.#queries.run({ kind: "exportSpan" }, options);
      for (let span = all; ; ) {
        const { events, rest, searchedTo } = await this.#queries.run(
          { kind: "export", query, span },
          options,
        );
        const share = rest ? (rest.from - all.from) / (all.to - all.from) : 1;
        onProgress?.({ share, searchedBackTo: searchedTo });
        if (events.length > 0) yield events;
        if (!rest) return;
        span = rest;
      }
    } finally {
      this.#exports--;
    }
  }

  close(): Promise<void> {
    return this.#queries.close();
  }
}

function known<Answer>(answer: Answer | undefined): Answer {
  if (answer !== undefined) return answer;
  throw new HistoryUnavailable(
    "the store has no first times that can be read; it notes them with the next delivery",
  );
}
