import { printable } from "../text/printable.ts";
import { truncate } from "../text/truncate.ts";

/** What is wrong with a query, and where. */
export interface QueryError {
  /** The wrong part of the query, in UTF-16 code units. It may be empty, where something is missing. */
  readonly start: number;
  readonly length: number;
  /** One sentence without its full stop, to be shown as it is. */
  readonly message: string;
  /** What the wrong part could be replaced with. */
  readonly suggestion: string | undefined;
}

/** A part of a query: from `start` up to, not including, `end`. */
export interface QuerySpan {
  readonly start: number;
  readonly end: number;
}

export function queryError({ start, end }: QuerySpan, message: string, suggestion?: string): QueryError {
  return { start, length: end - start, message, suggestion };
}

/** An error in one line, for a terminal or an answer: `there is no field "prot" (at character 1); did you mean "port"?` */
export function queryErrorText({ start, message, suggestion }: QueryError): string {
  const meant = suggestion === undefined ? "" : `; did you mean ${printable(suggestion)}?`;
  return `${message} (at character ${start + 1})${meant}`;
}

const maxQuotedLength = 60;

/** A part of the query as messages quote it. */
export function quoted(text: string): string {
  return `"${printable(truncate(text, maxQuotedLength))}"`;
}
