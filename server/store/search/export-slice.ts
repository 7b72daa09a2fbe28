import type { HistoryEvent } from "../../history/history-reader.ts";
import type { Query } from "../../query/query.ts";
import type { AnswerContext, Steps } from "./answer-context.ts";
import type { Block } from "./file-search.ts";
import type { OpenFiles } from "./open-files.ts";
import { eventOf, readRows } from "./read-rows.ts";
import { RowSearch } from "./row-search.ts";
import type { Span } from "./span.ts";

/** A piece of an export. Other queries are answered between two pieces. */
export interface ExportSlice {
  readonly events: readonly HistoryEvent[];
  /** The rows that are left; undefined: the export is complete. */
  readonly rest: Span | undefined;
  /** The time of receipt of the last row that was searched. */
  readonly searchedTo: number | undefined;
}

/** A slice ends with the document that reaches this. */
const sliceBytes = 1024 * 1024;

/** The rows of an export that begins now. */
export function exportSpan(files: OpenFiles): Span {
  const names = files.list();
  for (const name of names.toReversed()) {
    const end = files.tryEnd(name);
    if (end !== undefined) return { from: names[0]?.firstRow ?? 0, to: end };
  }
  return { from: 0, to: 0 };
}

/** The documents that match among some rows, the oldest first. Rows that cannot be read are left out. */
export function* exportSlice({ files, isPast }: AnswerContext, query: Query, span: Span): Steps<ExportSlice> {
  const slice = new Slice();
  const search = new RowSearch({
    files,
    query,
    order: "oldest",
    isPast,
    span,
    take: (block) => slice.add(block),
  });
  yield* search.run();
  const next = slice.isFull ? slice.next : search.isComplete ? span.to : (search.last?.to ?? span.to);
  return {
    events: slice.events,
    rest: next < span.to ? { from: next, to: span.to } : undefined,
    searchedTo: search.searchedBackTo(),
  };
}

class Slice {
  readonly events: HistoryEvent[] = [];
  /** The row after the last event. */
  next = 0;
  #documentBytes = 0;

  get isFull(): boolean {
    return this.#documentBytes >= sliceBytes;
  }

  /** Adds the events of a block. @returns false if they are enough */
  add(block: Block): boolean {
    readRows(block, "oldest", (read) => {
      const event = eventOf(read);
      this.events.push(event);
      this.#documentBytes += event.document.length;
      this.next = read.number + 1;
      return !this.isFull;
    });
    return !this.isFull;
  }
}
