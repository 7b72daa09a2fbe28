import type { ColumnName } from "../event/columns.ts";

/*
 * A parsed query. Search, live tail, command line and feeds use the same language (docs/search.md) and this form of it. The
 * page imports this file too: nothing in it needs Bun or Node.
 */

/** An event matches if every term matches. */
export interface Query {
  readonly terms: readonly QueryTerm[];
  /** Milliseconds since the epoch, inclusive; undefined: no bound. */
  readonly since: number | undefined;
  /** Milliseconds since the epoch, exclusive; undefined: no bound. */
  readonly until: number | undefined;
}

export type QueryTerm = ColumnTerm | TextTerm;

/**
 * Matches if the event's value in the column is one of the values. An event without a value has none of them. The column of
 * tags has a list: it has a value if one of the tags is that value.
 */
export interface ColumnTerm {
  readonly kind: "column";
  readonly column: ColumnName;
  /** True: matches if the event's value is none of the values. */
  readonly isExcluded: boolean;
  readonly values: readonly ValuePattern[];
}

/** Matches if the search text of the event (event/search-text.ts) contains the text. */
export interface TextTerm {
  readonly kind: "text";
  readonly isExcluded: boolean;
  /** Folded (foldCase), not empty, without NUL. */
  readonly text: string;
}

export type ValuePattern =
  /** The value itself, as event/columns.ts gives it: an address is a key (address-key.ts). */
  | { readonly kind: "exact"; readonly value: string | number }
  /** A text with wildcards (wildcard.ts). Case matters, as it does in exact values. */
  | { readonly kind: "wildcard"; readonly pattern: string }
  /** Numbers from `min` to `max`, both inclusive. */
  | { readonly kind: "range"; readonly min: number; readonly max: number }
  /** Addresses of a network, as keys. IPv4 addresses are never part of an IPv6 network. */
  | { readonly kind: "network"; readonly first: string; readonly last: string };
