import type { ColumnName } from "../../server/event/columns.ts";
import { type Completion, completionAt, namesLike } from "../../server/query/complete-query.ts";
import { quoteValue } from "../../server/query/format-query.ts";
import { isTimeName } from "../../server/query/query-fields.ts";
import { ranges } from "./search-query.ts";

/** What could be typed next. */
export interface Suggestion {
  readonly label: string;
  /** The query with it. */
  readonly text: string;
  /** Where the cursor is then. */
  readonly cursor: number;
}

export interface SuggestionOptions {
  /** False: since and until are not suggested. */
  readonly hasPast: boolean;
  /** Values that occur in a column, the most frequent first. */
  readonly valuesOf: (column: ColumnName) => readonly (string | number)[];
}

const maxSuggestions = 8;

/** What could be typed at a position of a query. @param cursor in UTF-16 code units */
export function suggestionsAt(text: string, cursor: number, options: SuggestionOptions): Suggestion[] {
  const completion = completionAt(text, cursor);
  if (!completion) return [];
  const { start, end } = completion;
  const after = text.slice(end);
  return labelsFor(completion, options)
    .slice(0, maxSuggestions)
    .map((label) => ({ label, text: text.slice(0, start) + label + after, cursor: start + label.length }))
    .filter((suggestion) => suggestion.text !== text);
}

function labelsFor(completion: Completion, { hasPast, valuesOf }: SuggestionOptions): string[] {
  const { kind, typed } = completion;
  if (kind === "name") {
    if (typed === "") return [];
    const names = namesLike(typed).filter((name) => hasPast || !isTimeName(name));
    return completion.hasColon ? names : names.map((name) => `${name}:`);
  }
  if (kind === "time")
    return ranges.map(({ value }): string => value).filter((value) => value.startsWith(typed));
  return valuesOf(completion.column)
    .filter((value) => String(value).startsWith(typed))
    .map((value) => quoteValue(String(value)));
}
