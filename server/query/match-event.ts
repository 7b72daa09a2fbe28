import type { ColumnName, ColumnValues } from "../event/columns.ts";
import { compileColumnTerm } from "./match-value.ts";
import type { ColumnTerm, Query, TextTerm } from "./query.ts";

/**
 * @param receivedAt milliseconds since the epoch
 * @param values only those of the query's columns are read, so that getters can compute them when they are needed
 * @param searchText as searchTextOf returns it (event/search-text.ts); called only if everything else matches
 */
export type EventPredicate = (receivedAt: number, values: ColumnValues, searchText: () => string) => boolean;

/** Compiles a query to a function that tells whether an event matches it. */
export function compileQuery({ terms, since, until }: Query): EventPredicate {
  const columnTests = terms
    .filter((term): term is ColumnTerm => term.kind === "column")
    .map((term) => ({ column: term.column, isMatch: compileColumnTerm(term) }));
  const textTerms = terms.filter((term): term is TextTerm => term.kind === "text");
  const from = since ?? Number.NEGATIVE_INFINITY;
  const to = until ?? Number.POSITIVE_INFINITY;
  return (receivedAt, values, searchText) => {
    if (receivedAt < from || receivedAt >= to) return false;
    for (const { column, isMatch } of columnTests) if (!isMatch(values[column])) return false;
    return textTerms.length === 0 || hasTexts(searchText(), textTerms);
  };
}

/** True if every event matches the query. */
export function isUnfiltered({ terms, since, until }: Query): boolean {
  return terms.length === 0 && since === undefined && until === undefined;
}

/** True if the predicate of the query asks for the search text. */
export function readsSearchText({ terms }: Query): boolean {
  return terms.some(({ kind }) => kind === "text");
}

/** True if the predicate of the query asks for a value of one of these columns. */
export function readsColumns({ terms }: Query, names: readonly ColumnName[]): boolean {
  return terms.some((term) => term.kind === "column" && names.includes(term.column));
}

function hasTexts(searchText: string, terms: readonly TextTerm[]): boolean {
  return terms.every(({ text, isExcluded }) => searchText.includes(text) !== isExcluded);
}
