import { createDescriptorWriter } from "../descriptor-writer.ts";
import { type CsvColumnName, csvFormat, defaultCsvColumns, ndjsonFormat } from "../history/export-formats.ts";
import { type HistoryReader, HistoryUnavailable, type Progress } from "../history/history-reader.ts";
import type { Query } from "../query/query.ts";
import { exitWith } from "./exit.ts";
import { ProgressLine } from "./progress-line.ts";
import { signals } from "./signals.ts";

/** What a query of a command is run with. */
export interface Running {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export interface EventsExport {
  readonly query: Query;
  readonly format: "ndjson" | "csv";
  /** Of CSV. */
  readonly columns: readonly CsvColumnName[] | undefined;
  /** undefined: no limit. */
  readonly limit: number | undefined;
}

/**
 * Runs a command that reads a history, with a progress line on a terminal. It ends the process: with status 130 after a
 * signal, with 1 after an error.
 * @param title of the progress line
 * @param name of the command, for errors
 */
export async function readHistory(
  { title, name }: { readonly title: string; readonly name: string },
  open: () => Promise<HistoryReader>,
  read: (history: HistoryReader, running: Running) => Promise<void>,
): Promise<never> {
  const stop = new AbortController();
  signals.onStop(() => stop.abort(new Error("stopped")));
  const progress = new ProgressLine({ title, isTitleLogged: false });
  try {
    const history = await open();
    await read(history, { signal: stop.signal, onProgress: (now) => progress.show(() => textOf(now)) });
    await progress.clear();
    await history.close();
  } catch (error) {
    await progress.clear();
    // The reader has stopped reading, as `head` does.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") process.exit(0);
    if (stop.signal.aborted) process.exit(130);
    exitWith(`${error instanceof HistoryUnavailable ? `${name}: ` : ""}${(error as Error).message}`);
  }
  process.exit(0);
}

/** Writes the events that match to stdout, the oldest first. */
export async function writeEvents(
  history: HistoryReader,
  { query, format, columns, limit }: EventsExport,
  running: Running,
): Promise<void> {
  const writer = createDescriptorWriter(1);
  const encoder = format === "ndjson" ? ndjsonFormat : csvFormat(columns ?? defaultCsvColumns);
  await writer.write(Buffer.from(encoder.head));
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const events of history.export(query, running)) {
    await writer.write(Buffer.from(encoder.encode(events.slice(0, left))));
    left -= events.length;
    if (left <= 0) return;
  }
}

function textOf({ share, searchedBackTo }: Progress): string {
  const at = searchedBackTo === undefined ? "" : `, at ${new Date(searchedBackTo).toISOString()}`;
  return `${Math.floor(share * 100)} %${at}`;
}
