import { compileColumnTerm, type ValuePredicate } from "../../query/match-value.ts";
import type { ColumnTerm, ValuePattern } from "../../query/query.ts";
import { wildcardPrefix } from "../../query/wildcard.ts";
import type { ColumnValue, Dictionary } from "../column-codec.ts";

/** Which codes of a column match a term. */
export interface MatchingCodes {
  /** 1 for each code that matches; the last one is that of the rows without a value. */
  readonly flags: Uint8Array;
  /** The number of rows that match. */
  readonly rowCount: number;
}

/** Compiles a term to a function that finds the matching values of a dictionary, if possible by binary search. */
export function compileCodes(term: ColumnTerm): (dictionary: Dictionary, rowCount: number) => MatchingCodes {
  const markers = term.values.map((pattern) => markerOf(term, pattern));
  return (dictionary, rowCount) => {
    const flags = new Uint8Array(dictionary.size + 1);
    for (const mark of markers) mark(dictionary, flags);
    const matching = rowsOf(dictionary.counts, flags);
    if (!term.isExcluded) return { flags, rowCount: matching };
    invert(flags);
    return { flags, rowCount: rowCount - matching };
  };
}

type Marker = (dictionary: Dictionary, flags: Uint8Array) => void;

function markerOf(term: ColumnTerm, pattern: ValuePattern): Marker {
  const isMatch = compileColumnTerm({ ...term, isExcluded: false, values: [pattern] });
  const mark = (dictionary: Dictionary, flags: Uint8Array, from = 0, to = dictionary.size) =>
    markMatching(dictionary, flags, isMatch, from, to);
  // The value of this column is a list, of which any member may match.
  if (term.column === "tags") return (dictionary, flags) => mark(dictionary, flags);
  return (dictionary, flags) => {
    const range = tryFindRange(dictionary, pattern);
    if (range) mark(dictionary, flags, range.from, range.to);
    else mark(dictionary, flags);
  };
}

/** The codes outside which no value matches; undefined if the order of the values does not tell. */
function tryFindRange(
  dictionary: Dictionary,
  pattern: ValuePattern,
): { readonly from: number; readonly to: number } | undefined {
  const isNumber = dictionary.kind === "number";
  switch (pattern.kind) {
    case "exact":
      return (typeof pattern.value === "number") === isNumber
        ? rangeOf(dictionary, pattern.value)
        : undefined;
    case "range":
      return isNumber ? rangeOf(dictionary, pattern.min, pattern.max) : undefined;
    case "network":
      return isNumber ? undefined : rangeOf(dictionary, pattern.first, pattern.last);
    case "wildcard": {
      const prefix = wildcardPrefix(pattern.pattern);
      const after = textAfter(prefix);
      if (isNumber || after === undefined) return undefined;
      return { from: dictionary.lowerBound(prefix), to: dictionary.lowerBound(after) };
    }
  }
}

function rangeOf(dictionary: Dictionary, first: ColumnValue, last = first) {
  const to = dictionary.lowerBound(last);
  return {
    from: dictionary.lowerBound(first),
    to: to < dictionary.size && dictionary.values.at(to) === last ? to + 1 : to,
  };
}

/** The least text that is greater than all texts that begin with a prefix; undefined if there is none. */
function textAfter(prefix: string): string | undefined {
  const last = prefix.charCodeAt(prefix.length - 1);
  return last < 0xffff ? prefix.slice(0, -1) + String.fromCharCode(last + 1) : undefined;
}

function markMatching(
  { values }: Dictionary,
  flags: Uint8Array,
  isMatch: ValuePredicate,
  from: number,
  to: number,
): void {
  for (let code = from; code < to; code++) if (isMatch(values.at(code))) flags[code] = 1;
}

function rowsOf(counts: Uint32Array, flags: Uint8Array): number {
  let rows = 0;
  for (let code = 0; code < counts.length; code++) if (flags[code] === 1) rows += counts[code] as number;
  return rows;
}

function invert(flags: Uint8Array): void {
  for (let code = 0; code < flags.length; code++) flags[code] = 1 - (flags[code] as number);
}
