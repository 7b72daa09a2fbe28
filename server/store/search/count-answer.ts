import type { CountAnswer } from "../../history/history-reader.ts";
import type { Query } from "../../query/query.ts";
import { type AnswerContext, type Steps, searchAll } from "./answer-context.ts";

/** Counts the events that match. */
export function* countAnswer(context: AnswerContext, query: Query): Steps<CountAnswer> {
  let events = 0;
  const completeness = yield* searchAll(context, query, ({ rows }) => {
    events += rows.count;
    return true;
  });
  return { ...completeness, events };
}
