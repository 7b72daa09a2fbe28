import type { ColumnName } from "../../server/event/columns.ts";
import { columnQuery, quoteWord } from "../../server/query/format-query.ts";
import { parseQuery } from "../../server/query/parse-query.ts";
import type { Query } from "../../server/query/query.ts";
import type { QueryError } from "../../server/query/query-error.ts";
import type { Result } from "../../server/result.ts";

/** The parameters of the tail's address before there was a query, which may be bookmarked. */
const formerParameters: readonly (readonly [name: string, column: ColumnName | "text"])[] = [
  ["sensor", "sensor"],
  ["country", "country"],
  ["asn", "asn"],
  ["port", "port"],
  ["address", "ip"],
  ["ja4", "ja4"],
  ["ja4h", "ja4h"],
  ["hassh", "hassh"],
  ["communityId", "community_id"],
  ["text", "text"],
];

/** The query in the tail's address. Former parameters are written as terms. */
export function queryOfAddress(parameters: Readonly<Record<string, string>>): string {
  const terms = formerParameters.flatMap(([name, column]) => {
    const value = parameters[name] ?? "";
    if (value === "") return [];
    return [column === "text" ? quoteWord(value) : columnQuery(column, value)];
  });
  return [parameters.q ?? "", ...terms].filter((text) => text !== "").join(" ");
}

/** Whether the address has former parameters. */
export function isFormerAddress(parameters: Readonly<Record<string, string>>): boolean {
  return formerParameters.some(([name]) => Object.hasOwn(parameters, name));
}

/** A query of the live tail, which has no past. */
export function parseTailQuery(text: string): Result<Query, QueryError> {
  return parseQuery(text, { now: Date.now(), hasPast: false });
}

/** The query with its wrong part replaced by what is suggested. */
export function withSuggestion(text: string, { start, length, suggestion = "" }: QueryError): string {
  return text.slice(0, start) + suggestion + text.slice(start + length);
}
