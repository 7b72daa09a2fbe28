import { compileQuery, type EventPredicate } from "../../../query/match-event.ts";
import type { Query, QueryTerm } from "../../../query/query.ts";
import { columnCondition } from "./column-condition.ts";
import type { TableLayout } from "./table-layout.ts";
import { textCondition } from "./text-condition.ts";

/** Which part of a query ClickHouse decides, and which part Loom. */
export interface QueryPlan {
  /** Conditions in SQL, all of which every matching event fulfils. Times are not among them. */
  readonly conditions: readonly string[];
  /** Decides which of these events match; undefined: all of them. */
  readonly isMatch: EventPredicate | undefined;
}

/**
 * Plans a query. ClickHouse decides the terms of columns that the table has. Texts, the identities of payloads, and
 * credentials cannot be expressed in SQL exactly: ClickHouse finds the events that may match, and Loom examines them.
 */
export function planQuery({ terms }: Query, layout: TableLayout): QueryPlan {
  const conditions: string[] = [];
  const rest: QueryTerm[] = [];
  for (const term of terms) {
    const exact = exactCondition(term, layout);
    if (exact !== undefined) conditions.push(exact);
    else {
      rest.push(term);
      const coarse = coarseCondition(term, layout);
      if (coarse !== undefined) conditions.push(coarse);
    }
  }
  const isMatch =
    rest.length === 0 ? undefined : compileQuery({ terms: rest, since: undefined, until: undefined });
  return { conditions, isMatch };
}

function exactCondition(term: QueryTerm, { columns }: TableLayout): string | undefined {
  if (term.kind === "text") return undefined;
  const column = columns.get(term.column);
  const condition = column && columnCondition(column, term.values);
  return condition !== undefined && term.isExcluded ? `NOT ${condition}` : condition;
}

function coarseCondition(term: QueryTerm, { hasPayload }: TableLayout): string | undefined {
  if (term.isExcluded || !hasPayload) return undefined;
  if (term.kind === "text") return textCondition(term.text);
  return term.column === "payload" ? "`payload` != ''" : undefined;
}
