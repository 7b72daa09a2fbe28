import { parseQuery } from "../../server/query/parse-query.ts";
import type { Query } from "../../server/query/query.ts";
import { type QueryError, queryErrorText } from "../../server/query/query-error.ts";

export const now = Date.parse("2026-11-20T10:00:00Z");

/** @throws if the query is wrong */
export function parsed(text: string): Query {
  const result = parseQuery(text, { now });
  if (result.kind === "refused") throw new Error(queryErrorText(result.refusal));
  return result.value;
}

/** @throws if the query is right */
export function errorOf(text: string, hasPast = true): QueryError {
  const result = parseQuery(text, { now, hasPast });
  if (result.kind === "accepted") throw new Error(`it was accepted: ${text}`);
  return result.refusal;
}
