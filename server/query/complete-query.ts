import type { ColumnName } from "../event/columns.ts";
import { type LexedTerm, type LexedValue, lexQuery, textOfValue } from "./lex-query.ts";
import type { QuerySpan } from "./query-error.ts";
import { fieldOfName, isTimeName, queryFields, queryNames, type TimeName } from "./query-fields.ts";

/** What is being typed. The span is the part of the query that a chosen completion replaces. */
export type Completion = QuerySpan &
  (
    | {
        /** The name of a field, or a word. */
        readonly kind: "name";
        /** What is typed of it, up to the cursor. */
        readonly typed: string;
        /** A colon follows the span. */
        readonly hasColon: boolean;
      }
    | { readonly kind: "value"; readonly column: ColumnName; readonly typed: string }
    | { readonly kind: "time"; readonly name: TimeName; readonly typed: string }
  );

/**
 * What is being typed at a position of a query, which may be incomplete or wrong.
 * @param cursor in UTF-16 code units
 * @returns undefined where nothing can be completed: in a quoted text, and in the value of an unknown field
 */
export function completionAt(text: string, cursor: number): Completion | undefined {
  const term = lexQuery(text).find(({ start, end }) => start <= cursor && cursor <= end);
  if (!term) return { kind: "name", typed: "", hasColon: false, start: cursor, end: cursor };
  // The part before the cursor shows what is typed, without quotes and escapes.
  const typedTerm = lexQuery(text.slice(term.start, cursor)).at(-1);
  const nameStart = term.start + (term.isExcluded ? 1 : 0);
  if (!term.field || cursor <= term.field.end) return nameCompletion(text, cursor, nameStart, term);
  const value = term.values.find(({ start, end }) => start <= cursor && cursor <= end);
  const typed = typedTerm?.values.at(-1);
  return value && typed && valueCompletion(term.field.name, value, textOfValue(typed));
}

/** The names that begin like what is typed: the short ones first, and the long ones only if no short name does. */
export function namesLike(typed: string): string[] {
  const start = typed.toLowerCase();
  const found = queryNames.filter((name) => name.startsWith(start));
  const short = found.filter(
    (name) => isTimeName(name) || queryFields.some(({ names }) => names[0] === name),
  );
  return short.length > 0 ? short : found;
}

function nameCompletion(
  text: string,
  cursor: number,
  start: number,
  { field, end, values }: LexedTerm,
): Completion | undefined {
  if (cursor < start || (!field && values[0]?.pieces[0]?.isQuoted)) return undefined;
  const typed = text.slice(start, cursor);
  return { kind: "name", typed, hasColon: field !== undefined, start, end: field?.end ?? end };
}

function valueCompletion(name: string, { start, end }: LexedValue, typed: string): Completion | undefined {
  const lower = name.toLowerCase();
  if (isTimeName(lower)) return { kind: "time", name: lower, typed, start, end };
  const field = fieldOfName(name);
  return field && { kind: "value", column: field.column, typed, start, end };
}
