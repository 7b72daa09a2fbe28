import { cursorOf, numberOfCursor } from "../../history/cursor.ts";
import type { EventsAnswer, HistoryEvent } from "../../history/history-reader.ts";
import type { Query } from "../../query/query.ts";
import { type AnswerContext, completenessOf, type Steps } from "./answer-context.ts";
import type { Block } from "./file-search.ts";
import { eventOf, readRows } from "./read-rows.ts";
import { RowSearch } from "./row-search.ts";

export interface EventsPage {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const maxEvents = 10_000;
/** An answer ends with the event that exceeds this. */
const maxDocumentBytes = 16 * 1024 * 1024;

/**
 * The newest events that match. An answer has fewer than `limit` events, and a cursor, if their documents are large.
 * @throws RangeError for a limit that is not from 1 to 10,000; WrongCursor
 */
export function* eventsAnswer(
  { files, isPast }: AnswerContext,
  query: Query,
  { limit, cursor }: EventsPage,
): Steps<EventsAnswer> {
  if (!(limit >= 1 && limit <= maxEvents))
    throw new RangeError(`a page has 1 to ${maxEvents} events, and not ${limit}`);
  const before = cursor === undefined ? Number.POSITIVE_INFINITY : numberOfCursor(query, cursor);
  const page = new Page(limit);
  const search = new RowSearch({
    files,
    query,
    order: "newest",
    isPast,
    span: { from: 0, to: before },
    take: (block) => page.add(block),
  });
  yield* search.run();
  const completeness = completenessOf(search);
  const { events } = page;
  const last = events.at(-1);
  const lastNumber = last && Number(last.id);
  const next = page.isFull ? lastNumber : search.isComplete ? undefined : search.last?.from;
  return {
    ...completeness,
    searchedBackTo: page.isFull ? last?.receivedAt : completeness.searchedBackTo,
    damagedEvents: completeness.damagedEvents + page.damagedEvents,
    events,
    cursor: next === undefined ? undefined : cursorOf(query, next),
  };
}

class Page {
  readonly events: HistoryEvent[] = [];
  damagedEvents = 0;
  readonly #limit: number;
  #documentBytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.events.length >= this.#limit || this.#documentBytes > maxDocumentBytes;
  }

  /** Adds the newest rows of a block. @returns false if the page is full */
  add(block: Block): boolean {
    this.damagedEvents += readRows(block, "newest", (row) => {
      const event = eventOf(row);
      this.events.push(event);
      this.#documentBytes += event.document.length;
      return !this.isFull;
    });
    return !this.isFull;
  }
}
