import type { ColumnName } from "../../event/columns.ts";
import type {
  CountAnswer,
  CoverageAnswer,
  EventsAnswer,
  HistogramAnswer,
  HistoryEvent,
  NewHistoryValues,
  TopAnswer,
} from "../../history/history-reader.ts";
import type { Query } from "../../query/query.ts";
import type { FirstSeenAnswer, FirstSeenColumn } from "../first-seen/answers.ts";
import type { AnswerContext, Steps } from "./answer-context.ts";
import { countAnswer } from "./count-answer.ts";
import { coverageAnswer } from "./coverage-answer.ts";
import { eventAnswer } from "./event-answer.ts";
import { type EventsPage, eventsAnswer } from "./events-answer.ts";
import { type ExportSlice, exportSlice, exportSpan } from "./export-slice.ts";
import { firstSeenAnswer, newValuesAnswer } from "./first-seen-answers.ts";
import { type HistogramRange, histogramAnswer } from "./histogram-answer.ts";
import type { Span } from "./span.ts";
import { topAnswer } from "./top-answer.ts";

/** What can be asked of a store, as it is sent to the worker. */
export type StoreQuery =
  | { readonly kind: "coverage" }
  | { readonly kind: "events"; readonly query: Query; readonly page: EventsPage }
  | { readonly kind: "event"; readonly number: number }
  | { readonly kind: "count"; readonly query: Query }
  | { readonly kind: "top"; readonly query: Query; readonly column: ColumnName; readonly limit: number }
  | { readonly kind: "histogram"; readonly query: Query; readonly range: HistogramRange }
  | {
      readonly kind: "newValues";
      readonly column: FirstSeenColumn;
      readonly since: number;
      readonly limit: number;
    }
  | { readonly kind: "firstSeen"; readonly column: FirstSeenColumn; readonly value: string | number }
  | { readonly kind: "exportSpan" }
  | { readonly kind: "export"; readonly query: Query; readonly span: Span };

export interface StoreAnswers {
  readonly coverage: CoverageAnswer;
  readonly events: EventsAnswer;
  readonly event: HistoryEvent | undefined;
  readonly count: CountAnswer;
  readonly top: TopAnswer;
  readonly histogram: HistogramAnswer;
  readonly newValues: NewHistoryValues | undefined;
  readonly firstSeen: FirstSeenAnswer | undefined;
  readonly exportSpan: Span;
  readonly export: ExportSlice;
}

export type StoreAnswer = StoreAnswers[keyof StoreAnswers];

/** Computes the answer to a query step by step. @throws RangeError, WrongCursor */
export function* answerSteps(context: AnswerContext, query: StoreQuery): Steps<StoreAnswer> {
  switch (query.kind) {
    case "coverage":
      return yield* coverageAnswer(context);
    case "events":
      return yield* eventsAnswer(context, query.query, query.page);
    case "event":
      return eventAnswer(context.files, query.number);
    case "count":
      return yield* countAnswer(context, query.query);
    case "top":
      return yield* topAnswer(context, query.query, query.column, query.limit);
    case "histogram":
      return yield* histogramAnswer(context, query.query, query.range);
    case "newValues":
      return yield* newValuesAnswer(context, query);
    case "firstSeen":
      return firstSeenAnswer(context, query.column, query.value);
    case "exportSpan":
      return exportSpan(context.files);
    case "export":
      return yield* exportSlice(context, query.query, query.span);
  }
}
