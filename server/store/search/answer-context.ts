import type { Completeness, Progress } from "../../history/history-reader.ts";
import type { Query } from "../../query/query.ts";
import type { OpenFiles } from "./open-files.ts";
import { RowSearch, type RowSearchOptions } from "./row-search.ts";

/** What every answer is computed with. */
export interface AnswerContext {
  readonly dir: string;
  readonly files: OpenFiles;
  /** Whether the deadline has passed. */
  readonly isPast: () => boolean;
}

/** An answer that is computed step by step. */
export type Steps<Answer> = Generator<Progress, Answer>;

/** Searches all rows, the newest first. */
export function* searchAll(
  { files, isPast }: AnswerContext,
  query: Query,
  take: RowSearchOptions["take"],
): Steps<Completeness> {
  const search = new RowSearch({ files, query, order: "newest", isPast, take });
  yield* search.run();
  return completenessOf(search);
}

/** How complete the answer of a search is. */
export function completenessOf(search: RowSearch): Completeness {
  return {
    time: "received",
    isComplete: search.isComplete,
    searchedBackTo: search.isComplete ? undefined : search.searchedBackTo(),
    damagedEvents: search.damagedEvents,
  };
}
