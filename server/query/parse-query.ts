import { foldCase, textSeparator } from "../event/search-text.ts";
import { accepted, type Result, refused } from "../result.ts";
import { findNearestName } from "../text/nearest-name.ts";
import { type LexedTerm, type LexedValue, lexQuery, textOfValue } from "./lex-query.ts";
import { addressPatterns } from "./parse-address.ts";
import { parseTime, timeForms } from "./parse-time.ts";
import { parseValue } from "./parse-value.ts";
import type { Query, QueryTerm, ValuePattern } from "./query.ts";
import { type QueryError, type QuerySpan, queryError, quoted } from "./query-error.ts";
import { fieldOfName, isTimeName, queryNames, type TimeName } from "./query-fields.ts";

/*
 * The query language (docs/search.md). The page imports this folder too: nothing in it needs Bun or Node.
 */

export const maxQueryLength = 2_000;
export const maxTerms = 64;
export const maxValues = 256;

export interface ParseOptions {
  /** Milliseconds since the epoch: `since:24h` means 24 hours before. */
  readonly now: number;
  /** False: the query is about new events, and since and until are refused. Default true. */
  readonly hasPast?: boolean;
}

/** Parses a query. An empty one matches every event. */
export function parseQuery(text: string, options: ParseOptions): Result<Query, QueryError> {
  if (text.length > maxQueryLength) {
    const span = { start: maxQueryLength, end: text.length };
    return refused(queryError(span, `the query is longer than ${maxQueryLength} characters`));
  }
  const parser = new QueryParser(text, options);
  const error = parser.run();
  return error ? refused(error) : accepted(parser.query);
}

class QueryParser {
  readonly #text: string;
  readonly #options: ParseOptions;
  readonly #terms: QueryTerm[] = [];
  readonly #times = new Map<TimeName, QuerySpan & { readonly ms: number }>();
  #valueCount = 0;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#options = options;
  }

  get query(): Query {
    return {
      terms: this.#terms,
      since: this.#times.get("since")?.ms,
      until: this.#times.get("until")?.ms,
    };
  }

  run(): QueryError | undefined {
    let not: LexedTerm | undefined;
    for (const term of lexQuery(this.#text)) {
      const keyword = this.#keywordOf(term);
      if (keyword === "OR")
        return queryError(
          term,
          "OR is not an operator; the values of one field are separated by commas: port:22,80",
        );
      if (keyword === "AND" && !not) continue;
      if (not && (keyword !== undefined || term.isExcluded)) return queryError(not, "NOT excludes nothing");
      if (keyword === "NOT") not = term;
      else {
        const error = this.#addTerm(term, term.isExcluded || not !== undefined);
        if (error) return error;
        not = undefined;
      }
    }
    return not ? queryError(not, "NOT excludes nothing") : this.#contradiction();
  }

  #keywordOf({ start, end }: LexedTerm): "AND" | "OR" | "NOT" | undefined {
    const text = this.#text.slice(start, end);
    return text === "AND" || text === "OR" || text === "NOT" ? text : undefined;
  }

  #addTerm(term: LexedTerm, isExcluded: boolean): QueryError | undefined {
    if (term.field && isTimeName(term.field.name.toLowerCase())) return this.#addTime(term, isExcluded);
    const parsed = term.field ? this.#columnTerm(term, isExcluded) : wordTerm(term, isExcluded);
    if (parsed.kind === "refused") return parsed.refusal;
    if (this.#terms.length === maxTerms) return queryError(term, `a query has at most ${maxTerms} terms`);
    if (parsed.value.kind === "column") this.#valueCount += parsed.value.values.length;
    if (this.#valueCount > maxValues) return queryError(term, `a query has at most ${maxValues} values`);
    this.#terms.push(parsed.value);
    return undefined;
  }

  #columnTerm(
    { field: name, start, end, values }: LexedTerm,
    isExcluded: boolean,
  ): Result<QueryTerm, QueryError> {
    const field = name && fieldOfName(name.name);
    if (!name || !field) {
      const known = unknownField(name?.name ?? "");
      const text = this.#text.slice(start, end).replace(/^-/, "");
      const span = known === undefined ? { start: end - text.length, end } : (name ?? { start, end });
      const message = `there is no field ${quoted(name?.name ?? "")}; a text with a colon is searched for in quotes`;
      return refused(queryError(span, message, known ?? asText(text)));
    }
    const patterns: ValuePattern[] = [];
    for (const value of values) {
      const parsed = parseValue(field, value);
      if (parsed.kind === "refused") return parsed;
      patterns.push(...parsed.value);
    }
    return accepted({ kind: "column", column: field.column, isExcluded, values: patterns });
  }

  #addTime(term: LexedTerm, isExcluded: boolean): QueryError | undefined {
    const [value, second] = term.values;
    const name = term.field?.name.toLowerCase() === "since" ? "since" : "until";
    if (!value || second) return queryError(second ?? term, `${name} has one time`);
    if (value.fault) return value.fault;
    if (this.#options.hasPast === false)
      return queryError(
        term,
        `${name} is not possible here: only events that arrive from now on are searched`,
      );
    if (isExcluded)
      return queryError(term, `${name} cannot be excluded`, name === "since" ? "until:" : "since:");
    if (this.#times.has(name)) return queryError(term, `${name} occurs twice`);
    const ms = parseTime(textOfValue(value), this.#options.now);
    if (ms === undefined)
      return queryError(value, `${quoted(textOfValue(value))} is not a time: write ${timeForms}`);
    this.#times.set(name, { start: term.start, end: term.end, ms });
    return undefined;
  }

  #contradiction(): QueryError | undefined {
    const [since, until] = [this.#times.get("since"), this.#times.get("until")];
    if (!since || !until || since.ms < until.ms) return undefined;
    const later = since.start > until.start ? since : until;
    return queryError(later, "since is not before until, so that no event can match");
  }
}

/** A word, a quoted text, or an address without its field: an address typed alone means the events from it. */
function wordTerm({ start, end, values }: LexedTerm, isExcluded: boolean): Result<QueryTerm, QueryError> {
  const value: LexedValue = values[0] ?? { start, end, pieces: [], fault: undefined };
  if (value.fault) return refused(value.fault);
  const [piece] = value.pieces;
  const text = textOfValue(value).toWellFormed();
  const addresses = piece?.isQuoted || text === "*" ? undefined : addressPatterns(text);
  if (addresses?.kind === "accepted")
    return accepted({ kind: "column", column: "ip", isExcluded, values: addresses.value });
  if (text === "") {
    const message = piece?.isQuoted ? "the text to search for is empty" : "the minus sign excludes nothing";
    return refused(queryError({ start, end }, message));
  }
  if (text.includes(textSeparator))
    return refused(queryError(value, "a text with the character U+0000 cannot be searched for"));
  return accepted({ kind: "text", isExcluded, text: foldCase(text) });
}

/** The name that was probably meant. */
function unknownField(name: string): string | undefined {
  return name.toLowerCase() === "@timestamp" ? "since" : findNearestName(name, queryNames);
}

function asText(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
