import { type Completeness, HistoryUnavailable, type QueryOptions } from "../../../history/history-reader.ts";
import type { EventPredicate } from "../../../query/match-event.ts";
import type { Query } from "../../../query/query.ts";
import type { TableName } from "../schema.ts";
import { completeness, untilDeadline } from "./completeness.ts";
import { Deadline, DeadlinePassed } from "./deadline.ts";
import { DocumentScan, type Row, type ScanOptions } from "./document-scan.ts";
import { type ExaminedEvent, examine } from "./examined-event.ts";
import type { InspectedTable, TableInspector } from "./inspected-table.ts";
import type { JsonAnswer } from "./json-answer.ts";
import { planQuery } from "./plan-query.ts";
import type { SelectClient } from "./select-client.ts";
import { Slices, type TimeRange } from "./slices.ts";
import { boundsStatement, type Source } from "./statements.ts";

/** What all queries of one table use. */
export interface QueryContext {
  readonly client: SelectClient;
  readonly name: TableName;
  readonly inspector: TableInspector;
}

/** @param event what Loom read of the row; it reads nothing from the rows of queries that ClickHouse decides alone */
export type RowVisitor = (row: Row, event: ExaminedEvent) => void;

const defaultDeadlineMs = 5000;
/** Progress is reported after this number of rows that Loom has examined. */
export const rowsPerReport = 1000;

/** One query while it runs. */
export class QueryRun {
  readonly source: Source;
  /** Undefined: ClickHouse decides the query alone. */
  readonly isMatch: EventPredicate | undefined;
  /** The times of the rows that the query may match. */
  readonly range: TimeRange;
  readonly rowsInTable: number;
  readonly #context: QueryContext;
  readonly #table: InspectedTable;
  readonly #deadline: Deadline;
  readonly #onProgress: QueryOptions["onProgress"];

  private constructor(
    context: QueryContext,
    table: InspectedTable,
    query: Query,
    bounds: TimeRange & { readonly rows: number },
    deadline: Deadline,
    options: QueryOptions,
  ) {
    const { conditions, isMatch } = planQuery(query, table.layout);
    this.#context = context;
    this.#table = table;
    this.#deadline = deadline;
    this.#onProgress = options.onProgress;
    this.source = { name: context.name, layout: table.layout, conditions };
    this.isMatch = isMatch;
    this.rowsInTable = bounds.rows;
    this.range = {
      from: Math.max(bounds.from, query.since ?? bounds.from),
      to: Math.min(bounds.to, query.until ?? bounds.to),
    };
  }

  /** @throws HistoryUnavailable also if the table cannot be examined in time */
  static async start(context: QueryContext, query: Query, options: QueryOptions = {}): Promise<QueryRun> {
    const { client, name, inspector } = context;
    const { deadlineMs = defaultDeadlineMs, signal } = options;
    const deadline = new Deadline(deadlineMs, signal);
    try {
      const table = await inspector.inspect(deadline);
      const statement = boundsStatement({ name, layout: table.layout, conditions: [] });
      const { rows } = await client.rows(statement, deadline, table.version);
      const [[count = 0, oldest = 0, newest = 0] = []] = rows;
      const isEmpty = Number(count) === 0;
      const bounds = {
        from: isEmpty ? 0 : Number(oldest),
        to: isEmpty ? 0 : Number(newest) + 1,
        rows: Number(count),
      };
      return new QueryRun(context, table, query, bounds, deadline, options);
    } catch (error) {
      if (!(error instanceof DeadlinePassed)) throw error;
      throw new HistoryUnavailable(`ClickHouse did not answer within ${deadlineMs / 1000} s`, {
        cause: error,
      });
    }
  }

  /** @throws as SelectClient.rows */
  select(statement: string): Promise<JsonAnswer> {
    return this.#context.client.rows(statement, this.#deadline, this.#table.version);
  }

  /** A scan of the rows that may match. @param deadline default: that of the query for all statements */
  scan(
    options: Pick<ScanOptions, "direction" | "firstPageRows" | "after">,
    deadline = () => this.#deadline,
  ): DocumentScan {
    const { source, range } = this;
    const { client } = this.#context;
    return new DocumentScan({ client, source, range, version: this.#table.version, deadline, ...options });
  }

  /** Whether a row that ClickHouse returned matches. The times were compared by ClickHouse. */
  matches(row: Row, event: ExaminedEvent): boolean {
    return this.isMatch?.(row.time, event.values, event.searchText) ?? true;
  }

  /** Has the range searched slice by slice, the newest first, until the deadline passes. */
  async eachSlice(search: (slice: TimeRange) => Promise<void>): Promise<Completeness> {
    const slices = new Slices(this.range, true);
    const isComplete = await untilDeadline(async () => {
      for (let slice = slices.next(); slice; slice = slices.next()) {
        const start = performance.now();
        await search(slice);
        slices.done(slice, performance.now() - start, this.#deadline.remainingMs);
        this.report(slices.share, slices.rest?.to);
      }
    });
    return completeness(isComplete, slices.rest?.to ?? this.range.from);
  }

  /** Examines every row that may match, the newest first, until the deadline passes. @param visit gets those that match */
  async eachMatch(visit: RowVisitor): Promise<Completeness> {
    const scan = this.scan({ direction: "newest first", firstPageRows: 1000 });
    const isComplete = await untilDeadline(async () => {
      let rows = 0;
      for await (const row of scan.rows()) {
        const event = examine(row);
        if (this.matches(row, event)) visit(row, event);
        if (++rows % rowsPerReport === 0) this.report(scan.share, row.time);
      }
    });
    return completeness(isComplete, scan.position?.time ?? this.range.to);
  }

  report(share: number, searchedBackTo: number | undefined): void {
    this.#onProgress?.({ share, searchedBackTo });
  }
}
