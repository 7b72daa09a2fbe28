import type { ColumnName } from "../../event/columns.ts";
import type { ColumnTerm, Query } from "../../query/query.ts";
import { compileCodes, type MatchingCodes } from "./column-codes.ts";
import type { Part } from "./part.ts";
import type { Span } from "./span.ts";

/** The terms of a query that columns and times decide. */
export interface ColumnFilter {
  readonly since: number;
  readonly until: number;
  readonly terms: readonly {
    readonly column: ColumnName;
    readonly codesIn: ReturnType<typeof compileCodes>;
  }[];
}

export function compileColumnFilter({ terms, since, until }: Query): ColumnFilter {
  return {
    since: since ?? Number.NEGATIVE_INFINITY,
    until: until ?? Number.POSITIVE_INFINITY,
    terms: terms
      .filter((term): term is ColumnTerm => term.kind === "column")
      .map((term) => ({ column: term.column, codesIn: compileCodes(term) })),
  };
}

/** A column whose values decide about some rows of a part. */
interface Decision {
  readonly column: ColumnName;
  readonly codes: MatchingCodes;
}

/** The rows of a part that a filter selects. Only what is needed of the part is read. */
export class SelectedRows {
  readonly #compute: () => Uint8Array | undefined;
  #flags: { readonly flags: Uint8Array | undefined } | undefined;
  #count: number | undefined;

  private constructor(compute: () => Uint8Array | undefined, count?: number) {
    this.#compute = compute;
    this.#count = count;
  }

  static of(flags: Uint8Array): SelectedRows {
    return new SelectedRows(() => flags);
  }

  static only({ rowCount }: Part, rows: readonly number[]): SelectedRows {
    const flags = new Uint8Array(rowCount);
    for (const row of rows) flags[row] = 1;
    return new SelectedRows(() => flags, rows.length);
  }

  /** @throws DamagedBlob */
  static select(part: Part, filter: ColumnFilter): SelectedRows {
    const nothing = new SelectedRows(() => new Uint8Array(part.rowCount), 0);
    if (part.t1 < filter.since || part.t0 >= filter.until) return nothing;
    const decisions: Decision[] = [];
    for (const { column, codesIn } of filter.terms) {
      const codes = codesIn(part.column(column).dictionary, part.rowCount);
      if (codes.rowCount === 0) return nothing;
      if (codes.rowCount < part.rowCount) decisions.push({ column, codes });
    }
    const isWithin = part.t0 >= filter.since && part.t1 < filter.until;
    const [only] = decisions;
    if (isWithin && !only) return new SelectedRows(() => undefined, part.rowCount);
    return new SelectedRows(
      () => flagsOf(part, filter, decisions),
      isWithin && decisions.length === 1 ? only?.codes.rowCount : undefined,
    );
  }

  /** 1 for each row that is selected; undefined: all are. @throws DamagedBlob */
  get flags(): Uint8Array | undefined {
    this.#flags ??= { flags: this.#compute() };
    return this.#flags.flags;
  }

  /** The number of selected rows. @throws DamagedBlob */
  get count(): number {
    // Only where all rows are selected are there no flags, and then the count is known.
    this.#count ??= countOf(this.flags ?? new Uint8Array());
    return this.#count;
  }

  /** 1 for each row that is selected, to be changed by the caller. @throws DamagedBlob */
  copyFlags({ rowCount }: Part): Uint8Array {
    return this.flags?.slice() ?? new Uint8Array(rowCount).fill(1);
  }

  /** Those with the numbers of a span. @throws DamagedBlob */
  within(part: Part, { from, to }: Span): SelectedRows {
    const [start, end] = [from - part.first, to - part.first];
    if ((start <= 0 && end >= part.rowCount) || this.#count === 0) return this;
    const flags = this.copyFlags(part);
    flags.fill(0, 0, Math.max(0, start));
    flags.fill(0, Math.max(0, end));
    return SelectedRows.of(flags);
  }
}

/** Whether any row of a span is selected. */
export function hasRows(flags: Uint8Array, { first }: Part, { from, to }: Span): boolean {
  return flags.subarray(from - first, to - first).includes(1);
}

/** The rows of a span that are selected. */
export function rowsIn(flags: Uint8Array, { first }: Part, { from, to }: Span): number[] {
  const rows: number[] = [];
  for (let row = from - first; row < to - first; row++) if (flags[row] === 1) rows.push(row);
  return rows;
}

function flagsOf(part: Part, { since, until }: ColumnFilter, decisions: readonly Decision[]): Uint8Array {
  const flags = new Uint8Array(part.rowCount).fill(1);
  for (const { column, codes } of decisions.toSorted((a, b) => a.codes.rowCount - b.codes.rowCount))
    if (keepCodes(flags, part.column(column).codes(), codes.flags) === 0) return flags;
  if (part.t0 < since || part.t1 >= until) keepTimes(flags, part.times(), since, until);
  return flags;
}

/** @returns how many rows are left */
function keepCodes(rows: Uint8Array, codes: Uint16Array, flags: Uint8Array): number {
  let left = 0;
  for (let row = 0; row < rows.length; row++) {
    const isKept = (rows[row] as number) & (flags[codes[row] as number] as number);
    rows[row] = isKept;
    left += isKept;
  }
  return left;
}

function keepTimes(rows: Uint8Array, times: Float64Array, since: number, until: number): void {
  for (let row = 0; row < rows.length; row++) {
    const time = times[row] as number;
    if (time < since || time >= until) rows[row] = 0;
  }
}

function countOf(flags: Uint8Array): number {
  let count = 0;
  for (let row = 0; row < flags.length; row++) count += flags[row] as number;
  return count;
}
