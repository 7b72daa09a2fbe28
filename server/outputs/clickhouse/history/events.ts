import {
  type EventsAnswer,
  type HistoryEvent,
  HistoryUnavailable,
  type QueryOptions,
} from "../../../history/history-reader.ts";
import type { Query } from "../../../query/query.ts";
import { completeness, untilDeadline } from "./completeness.ts";
import { Deadline, DeadlinePassed } from "./deadline.ts";
import { type Row, readRow } from "./document-scan.ts";
import { examine, sensorOf } from "./examined-event.ts";
import { type QueryContext, QueryRun, rowsPerReport } from "./query-run.ts";
import { decodeCursor, encodeCursor, idOf, parseId, type RowPosition } from "./row-position.ts";
import { rowStatement } from "./statements.ts";

/** A page ends after so many bytes of documents, and then has fewer events than were asked for. */
const maxPageBytes = 16 * 1024 * 1024;
const minPageRows = 100;
const pieceBytes = 1024 * 1024;
/** How long one statement of an export may take. */
const exportStatementMs = 60_000;

/** The newest matching events. @throws HistoryUnavailable */
export async function readEvents(
  context: QueryContext,
  query: Query,
  page: { readonly limit: number; readonly cursor?: string | undefined },
  options?: QueryOptions,
): Promise<EventsAnswer> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const run = await QueryRun.start(context, query, options);
  const firstPageRows = Math.max(minPageRows, page.limit + 1);
  const scan = run.scan({ direction: "newest first", firstPageRows, after });
  const events: HistoryEvent[] = [];
  let bytes = 0;
  let next: RowPosition | undefined;
  const isComplete = await untilDeadline(async () => {
    let before = scan.position;
    let rows = 0;
    for await (const row of scan.rows()) {
      if (!run.isMatch || run.matches(row, examine(row))) {
        // One more is found than is returned, which tells that there are older ones.
        if (events.length === page.limit || bytes > maxPageBytes) {
          next = before;
          return;
        }
        events.push(historyEvent(row));
        bytes += row.document.length;
      }
      before = scan.position;
      if (++rows % rowsPerReport === 0) run.report(scan.share, row.time);
    }
  });
  if (!isComplete) next = scan.position ?? { time: run.range.to, hash: undefined, skip: 0 };
  return {
    events,
    cursor: next && encodeCursor(next),
    ...completeness(isComplete, next?.time ?? run.range.from),
  };
}

/** The event with this id. @throws HistoryUnavailable */
export async function readEvent(
  context: QueryContext,
  id: string,
  options: QueryOptions = {},
): Promise<HistoryEvent | undefined> {
  const identity = parseId(id);
  if (identity === undefined) return undefined;
  const { client, name, inspector } = context;
  const deadline = new Deadline(options.deadlineMs ?? exportStatementMs, options.signal);
  try {
    const { layout, version } = await inspector.inspect(deadline);
    const statement = rowStatement({ name, layout, conditions: [] }, identity);
    for await (const row of client.stream(statement, readRow, deadline, version)) return historyEvent(row);
    return undefined;
  } catch (error) {
    throw tooLate(error);
  }
}

/** All matching events, the oldest first, in pieces of about 1 MB. Each document is one line. @throws HistoryUnavailable */
export async function* exportEvents(
  context: QueryContext,
  query: Query,
  options: Pick<QueryOptions, "signal" | "onProgress"> = {},
): AsyncGenerator<readonly HistoryEvent[], void, undefined> {
  const run = await QueryRun.start(context, query, { ...options, deadlineMs: exportStatementMs });
  const ofStatement = () => new Deadline(exportStatementMs, options.signal);
  const scan = run.scan({ direction: "oldest first", firstPageRows: 1000 }, ofStatement);
  let events: HistoryEvent[] = [];
  let bytes = 0;
  try {
    for await (const row of scan.rows()) {
      if (run.isMatch && !run.matches(row, examine(row))) continue;
      const event = historyEvent(row);
      events.push({ ...event, document: lineOf(event.document) });
      bytes += row.document.length;
      if (bytes < pieceBytes) continue;
      yield events;
      run.report(scan.share, undefined);
      events = [];
      bytes = 0;
    }
    if (events.length > 0) yield events;
  } catch (error) {
    throw tooLate(error);
  }
}

function tooLate(error: unknown): unknown {
  if (!(error instanceof DeadlinePassed)) return error;
  return new HistoryUnavailable("ClickHouse did not answer in time", { cause: error });
}

function historyEvent(row: Row): HistoryEvent {
  return { id: idOf(row), receivedAt: row.time, sensorId: sensorOf(row), document: row.document.toString() };
}

/** Loom's documents are one line. Another program's may have line breaks, which JSON allows between tokens only. */
function lineOf(document: string): string {
  return /[\r\n]/.test(document) ? document.replace(/[\r\n]/g, " ") : document;
}
