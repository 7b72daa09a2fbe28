import type { CoverageAnswer } from "../../history/history-reader.ts";
import { type AnswerContext, type Steps, searchAll } from "./answer-context.ts";

const everything = { terms: [], since: undefined, until: undefined };

/** What is stored. Rows that cannot be read are found only where the columns are not enough, so not all are counted. */
export function* coverageAnswer(context: AnswerContext): Steps<CoverageAnswer> {
  let events = 0;
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  const { damagedEvents } = yield* searchAll({ ...context, isPast: () => false }, everything, ({ part }) => {
    events += part.rowCount;
    oldest = Math.min(oldest, part.t0);
    newest = Math.max(newest, part.t1);
    return true;
  });
  return {
    time: "received",
    oldest: events === 0 ? undefined : oldest,
    newest: events === 0 ? undefined : newest,
    events,
    bytes: context.files.sizeBytes(),
    damagedEvents,
  };
}
