import type { ServerVersion } from "../server-version.ts";
import type { Deadline } from "./deadline.ts";
import type { RowBinaryReader } from "./row-binary.ts";
import { positionAfter, type RowPosition } from "./row-position.ts";
import type { SelectClient } from "./select-client.ts";
import { Slices, type TimeRange } from "./slices.ts";
import { type Direction, pageEndStatement, rowsStatement, type Source } from "./statements.ts";

/** A row of the table. */
export interface Row {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly hash: bigint;
  /** Of the table's column; empty: it has none. */
  readonly sensor: string;
  readonly document: Buffer;
}

export interface ScanOptions {
  readonly client: SelectClient;
  readonly source: Source;
  readonly version: ServerVersion;
  readonly range: TimeRange;
  readonly direction: Direction;
  /** Where an earlier scan of the same source in the same direction ended. */
  readonly after?: RowPosition | undefined;
  /** A new one for each statement, or the same for all of them. */
  readonly deadline: () => Deadline;
  /** Rows of the first page. Later ones have up to 8,000. */
  readonly firstPageRows: number;
}

const maxPageRows = 8000;
/** A page ends after so many bytes of documents, because a document may have 128 KiB and more. */
const maxPageBytes = 8 * 1024 * 1024;

interface Page {
  readonly range: TimeRange;
  readonly limit: number;
  readonly isEmpty: boolean;
}

/**
 * Reads the rows of a table in the order of time, page by page within slices of time. Two statements read a page: the first
 * finds where it ends without reading documents, so that the second reads the documents of few rows.
 */
export class DocumentScan {
  readonly #options: ScanOptions;
  readonly #slices: Slices;
  readonly #isNewestFirst: boolean;
  #position: RowPosition | undefined;
  #pageRows: number;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#position = options.after;
    this.#pageRows = options.firstPageRows;
    this.#isNewestFirst = options.direction === "newest first";
    this.#slices = new Slices(rangeAfter(options), this.#isNewestFirst);
  }

  /** 0 to 1: the part of the range that was read. */
  get share(): number {
    return this.#slices.share;
  }

  /** Where the scan is after the last row that `rows` yielded; undefined: at its beginning. */
  get position(): RowPosition | undefined {
    return this.#position;
  }

  /** @throws HistoryUnavailable, DeadlinePassed, or the reason of the client's signal */
  async *rows(): AsyncGenerator<Row, void, undefined> {
    for (let slice = this.#slices.next(); slice; slice = this.#slices.next()) {
      const start = performance.now();
      yield* this.#rowsOf(slice);
      this.#slices.done(slice, performance.now() - start, this.#options.deadline().remainingMs);
    }
  }

  async *#rowsOf(slice: TimeRange): AsyncGenerator<Row, void, undefined> {
    const { client, source, version, direction, deadline } = this.#options;
    let rest = slice;
    while (rest.from < rest.to) {
      const { range, limit, isEmpty } = await this.#nextPage(rest);
      if (isEmpty) {
        this.#restBeyond(rest, rest);
        return;
      }
      const page = { limit, after: this.#position };
      const statement = rowsStatement(source, range, direction, page);
      let count = 0;
      let bytes = 0;
      for await (const row of client.stream(statement, readRow, deadline(), version)) {
        this.#position = positionAfter(row, this.#position);
        yield row;
        count++;
        bytes += row.document.length;
        if (bytes > maxPageBytes) break;
      }
      this.#pageRows = Math.min(maxPageRows, this.#pageRows * 2);
      // A full page may leave rows of its last time for the next one, which begins after the last row.
      if (count === limit || bytes > maxPageBytes) rest = this.#restAfterLastRow(rest);
      else rest = this.#restBeyond(range, rest);
    }
  }

  /** The times of the next page: with at least `limit` rows, or all that are left. */
  async #nextPage(rest: TimeRange): Promise<Page> {
    const { client, source, version, direction, deadline } = this.#options;
    const limit = this.#pageRows;
    const statement = pageEndStatement(source, rest, direction, limit);
    const [[end, count] = []] = (await client.rows(statement, deadline(), version)).rows;
    if (Number(count) < limit) return { range: rest, limit, isEmpty: Number(count) === 0 };
    const time = Number(end);
    const range = this.#isNewestFirst ? { from: time, to: rest.to } : { from: rest.from, to: time + 1 };
    return { range, limit, isEmpty: false };
  }

  #restBeyond(read: TimeRange, rest: TimeRange): TimeRange {
    const left = this.#isNewestFirst ? { from: rest.from, to: read.from } : { from: read.to, to: rest.to };
    this.#position = { time: this.#isNewestFirst ? left.to : left.from, hash: undefined, skip: 0 };
    return left;
  }

  #restAfterLastRow(rest: TimeRange): TimeRange {
    return { ...rest, ...boundAfter(this.#position, this.#isNewestFirst) };
  }
}

function rangeAfter({ range, after, direction }: ScanOptions): TimeRange {
  const rest = { ...range, ...boundAfter(after, direction === "newest first") };
  return { from: Math.max(rest.from, range.from), to: Math.min(rest.to, range.to) };
}

/** The bound that a position sets to the rows after it. Rows of its own time may be among them. */
function boundAfter(position: RowPosition | undefined, isNewestFirst: boolean): Partial<TimeRange> {
  if (position === undefined) return {};
  if (!isNewestFirst) return { from: position.time };
  return { to: position.hash === undefined ? position.time : position.time + 1 };
}

/** Reads a row of rowsStatement. */
export async function readRow(reader: RowBinaryReader): Promise<Row> {
  const time = await reader.int64();
  const hash = await reader.uint64();
  const sensor = (await reader.string()).toString();
  return { time, hash, sensor, document: await reader.string() };
}
