import { foldCase, searchTextOf } from "../../event/search-text.ts";
import type { Query, TextTerm } from "../../query/query.ts";
import type { Chunk } from "../docs-chunk.ts";
import { hasTrigrams, trigramsOf } from "../trigrams.ts";

/** A text term of a query. */
export interface TextSearch extends TextTerm {
  readonly trigrams: readonly number[];
  /** Finds in the bytes of a chunk what every row with the text has; undefined: nothing that is long enough is certain. */
  readonly pattern: RegExp | undefined;
}

/** Shorter texts are in nearly every row. */
const minPatternLength = 3;
/** Fewer rows are parsed at once, which takes no longer than searching the whole chunk. */
const minRowsToScan = 24;

/** The terms of a query that the search texts of the rows decide. */
export function compileTextSearches({ terms }: Query): TextSearch[] {
  return terms
    .filter((term): term is TextTerm => term.kind === "text")
    .map((term) => ({ ...term, trigrams: trigramsOf(term.text), pattern: patternOf(term.text) }));
}

/**
 * The longest part of a text whose bytes are the same in every document that has it: characters that JSON encoders do not
 * escape. Rows for which that is not so are marked in their chunk (needsParsing).
 */
function patternOf(text: string): RegExp | undefined {
  const runs = text.match(/[ !#-%(-;=?-[\]-~]+/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  return longest.length < minPatternLength ? undefined : new RegExp(RegExp.escape(longest), "gi");
}

/**
 * Decides about some rows by the bitmap of their trigrams.
 * @returns the searches that are left: none if all rows match; undefined: none of the rows matches
 */
export function undecidedSearches(
  bits: Uint8Array | undefined,
  searches: readonly TextSearch[],
): readonly TextSearch[] | undefined {
  if (!bits) return searches;
  const possible = searches.filter(({ trigrams }) => hasTrigrams(bits, trigrams));
  return searches.some((search) => !search.isExcluded && !possible.includes(search)) ? undefined : possible;
}

/** @returns those of the rows of a chunk that match, in the same order */
export function matchingRows(
  chunk: Chunk,
  searches: readonly TextSearch[],
  rows: readonly number[],
): readonly number[] {
  if (rows.length < minRowsToScan) return rows.filter((row) => isMatch(chunk, row, searches));
  const body = chunk.body.toString("latin1");
  const found = searches.map(({ pattern }) => pattern && rowsWith(chunk, body, pattern));
  return rows.filter((row) => {
    const isAbsent = (i: number) => found[i]?.has(row) === false && !chunk.needsParsing(row);
    if (searches.some(({ isExcluded }, i) => !isExcluded && isAbsent(i))) return false;
    const possible = searches.filter((_, i) => !isAbsent(i));
    return possible.length === 0 || isMatch(chunk, row, possible);
  });
}

/** The rows in whose bytes the pattern is found. */
function rowsWith(chunk: Chunk, body: string, pattern: RegExp): Set<number> {
  const rows = new Set<number>();
  pattern.lastIndex = 0;
  for (let found = pattern.exec(body); found; found = pattern.exec(body)) {
    const row = chunk.rowAt(found.index);
    rows.add(row);
    pattern.lastIndex = chunk.endOf(row);
  }
  return rows;
}

function isMatch(chunk: Chunk, row: number, searches: readonly TextSearch[]): boolean {
  const text = textOf(chunk.document(row).toString());
  return searches.every((search) => text.includes(search.text) !== search.isExcluded);
}

function textOf(json: string): string {
  try {
    return searchTextOf(JSON.parse(json));
  } catch {
    // As the row was indexed (row-index.ts).
    return foldCase(json);
  }
}
