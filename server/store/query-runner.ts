import type { QueryOptions } from "../history/history-reader.ts";
import type { StoreAnswers, StoreQuery } from "./search/store-query.ts";

/** Runs queries about a store: in a worker, or in this thread. */
export interface QueryRunner {
  /** @throws RangeError, WrongCursor, HistoryUnavailable; the reason of the signal */
  run<Kind extends StoreQuery["kind"]>(
    query: StoreQuery & { readonly kind: Kind },
    options?: QueryOptions,
  ): Promise<StoreAnswers[Kind]>;
  close(): Promise<void>;
}
