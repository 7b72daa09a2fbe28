import type { Progress } from "../history/history-reader.ts";
import type { StoreAnswer, StoreQuery } from "./search/store-query.ts";

/* What the query worker and its client send to each other. */

export type QueryRequest =
  /** The first request. */
  | { readonly kind: "open"; readonly dir: string }
  /** Sent after the end of the query before. */
  | { readonly kind: "query"; readonly id: number; readonly query: StoreQuery; readonly deadlineMs: number }
  /** The query ends soon. */
  | { readonly kind: "cancel"; readonly id: number };

export type QueryMessage =
  | { readonly kind: "progress"; readonly id: number; readonly progress: Progress }
  | { readonly kind: "answer"; readonly id: number; readonly answer: StoreAnswer }
  | { readonly kind: "failure"; readonly id: number; readonly failure: QueryFailure };

/** An error as it is sent. */
export interface QueryFailure {
  readonly name: string;
  readonly message: string;
}
