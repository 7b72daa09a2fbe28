import { type ColumnName, columns } from "../../event/columns.ts";
import type { TopAnswer } from "../../history/history-reader.ts";
import type { Query } from "../../query/query.ts";
import type { ColumnValue, Dictionary } from "../column-codec.ts";
import { type AnswerContext, type Steps, searchAll } from "./answer-context.ts";
import type { Block } from "./file-search.ts";
import { ValueCounts } from "./value-counts.ts";

/** Counts the values of a column in the events that match. Of the tags, each one of an event is counted. */
export function* topAnswer(
  context: AnswerContext,
  query: Query,
  column: ColumnName,
  limit: number,
): Steps<TopAnswer> {
  const counts = new ValueCounts(columns[column].kind);
  let without = 0;
  const completeness = yield* searchAll(context, query, (block) => {
    const { dictionary } = block.part.column(column);
    const [events, total] = countsOf(block, column, dictionary);
    if (column === "tags") addTags(counts, dictionary, events);
    else counts.addAll(dictionary, events);
    without += total - sumOf(events, dictionary.size);
    return true;
  });
  const { values, others, distinct } = counts.top(limit);
  return { ...completeness, values, others, without, distinct };
}

/** The number of selected rows of each value, and that of all selected rows. */
export function countsOf(
  { part, rows }: Block,
  column: ColumnName,
  dictionary: Dictionary,
): [Uint32Array, number] {
  if (rows.count === 0) return [new Uint32Array(dictionary.size), 0];
  const { flags } = rows;
  if (!flags) return [dictionary.counts, part.rowCount];
  const codes = part.column(column).codes();
  const counts = new Uint32Array(dictionary.size + 1);
  for (let row = 0; row < flags.length; row++)
    if (flags[row] === 1) {
      const code = codes[row] as number;
      counts[code] = (counts[code] as number) + 1;
    }
  return [counts, rows.count];
}

function sumOf(counts: Uint32Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += counts[i] as number;
  return sum;
}

function addTags(counts: ValueCounts, { values, size }: Dictionary, events: Uint32Array): void {
  for (let code = 0; code < size; code++) {
    const count = events[code] as number;
    if (count === 0) continue;
    for (const tag of String(values.at(code) satisfies ColumnValue | undefined).split("\n"))
      counts.add(tag, count);
  }
}
