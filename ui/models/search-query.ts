import type { ColumnName } from "../../server/event/columns.ts";
import { columnQuery } from "../../server/query/format-query.ts";
import { type LexedTerm, lexQuery } from "../../server/query/lex-query.ts";
import { parseQuery } from "../../server/query/parse-query.ts";
import type { Query } from "../../server/query/query.ts";
import type { QueryError } from "../../server/query/query-error.ts";
import { isTimeName } from "../../server/query/query-fields.ts";
import type { Result } from "../../server/result.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The periods of the search page, up to now, as the query language writes them. */
export const ranges = [
  { value: "15m", name: "15 min", ms: 15 * minuteMs },
  { value: "1h", name: "1 h", ms: hourMs },
  { value: "6h", name: "6 h", ms: 6 * hourMs },
  { value: "24h", name: "24 h", ms: 24 * hourMs },
  { value: "7d", name: "7 d", ms: 7 * 24 * hourMs },
  { value: "30d", name: "30 d", ms: 30 * 24 * hourMs },
] as const;

export type SearchRange = (typeof ranges)[number]["value"];

/** What the address of the search page says. */
export interface SearchAddress {
  /** The query line. Its own `since:` and `until:` replace the range. */
  readonly text: string;
  readonly range: SearchRange;
  /** The id of the event that is open. */
  readonly eventId: string | undefined;
}

const defaultRange: SearchRange = "24h";

/** @param parameters those of the page's address; an unknown range is the default one */
export function searchOfAddress(parameters: Readonly<Record<string, string>>): SearchAddress {
  const range = ranges.find(({ value }) => value === parameters.range)?.value ?? defaultRange;
  return { text: parameters.q ?? "", range, eventId: parameters.event || undefined };
}

/** The address of the search page. */
export function searchLink({ text, range = defaultRange, eventId }: Partial<SearchAddress>): string {
  const parameters = new URLSearchParams({
    ...(text ? { q: text } : {}),
    ...(range === defaultRange ? {} : { range }),
    ...(eventId === undefined ? {} : { event: eventId }),
  });
  return parameters.size === 0 ? "/search" : `/search?${parameters}`;
}

/** A query of stored events, as it is typed. */
export function parseSearchQuery(text: string): Result<Query, QueryError> {
  return parseQuery(text, { now: Date.now() });
}

/** The query that is sent: the one of the line, and the range unless the line has times. */
export function searchedQuery({ text, range }: Pick<SearchAddress, "text" | "range">): string {
  // The range comes first, because what follows an unfinished term would be read as a part of it.
  return hasTimes(text) ? text : `since:${range} ${text}`.trim();
}

/** Whether a query has `since:` or `until:`. */
export function hasTimes(text: string): boolean {
  return lexQuery(text).some(isTime);
}

/** The query without its times, as the live tail takes it. */
export function withoutTimes(text: string): string {
  return withoutTerms(text, isTime);
}

/** The query with these times instead of its own. @param sinceAt milliseconds since the epoch, as `untilAt` */
export function withTimes(text: string, sinceAt: number, untilAt: number): string {
  return `${withoutTimes(text)} since:${timeText(sinceAt)} until:${timeText(untilAt)}`.trim();
}

/** The query with the times of a range written out in whole minutes, to be edited. */
export function withCustomTimes(text: string, range: SearchRange, now: number): string {
  const ms = ranges.find(({ value }) => value === range)?.ms ?? 0;
  const untilAt = Math.ceil(now / minuteMs) * minuteMs;
  return withTimes(text, untilAt - ms, untilAt);
}

/** Whether the query has a term for this value. */
export function hasValue(
  text: string,
  column: ColumnName,
  value: string | number,
  isExcluded: boolean,
): boolean {
  const term = columnQuery(column, value);
  return lexQuery(text).some((lexed) => lexed.isExcluded === isExcluded && isTerm(text, lexed, term));
}

/** The query with a term for this value, or without it if it has that term. The opposite term is replaced. */
export function toggleValue(
  text: string,
  column: ColumnName,
  value: string | number,
  isExcluded: boolean,
): string {
  const term = columnQuery(column, value);
  const others = withoutTerms(text, (lexed) => isTerm(text, lexed, term));
  if (hasValue(text, column, value, isExcluded)) return others;
  return `${others} ${isExcluded ? "-" : ""}${term}`.trim();
}

function isTime({ field }: LexedTerm): boolean {
  return field !== undefined && isTimeName(field.name.toLowerCase());
}

/** Whether a term is this one, excluded or not. */
function isTerm(text: string, { start, end, isExcluded }: LexedTerm, term: string): boolean {
  return text.slice(start + (isExcluded ? 1 : 0), end) === term;
}

/** A `NOT` before a removed term is removed with it. */
function withoutTerms(text: string, isRemoved: (term: LexedTerm) => boolean): string {
  const terms = lexQuery(text);
  const sourceOf = (term: LexedTerm | undefined) => term && text.slice(term.start, term.end);
  return terms
    .filter((term, i) => {
      const next = terms[i + 1];
      return !isRemoved(term) && !(sourceOf(term) === "NOT" && next && isRemoved(next));
    })
    .map(sourceOf)
    .join(" ");
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/(?::00)?\.000Z$/, "Z");
}
