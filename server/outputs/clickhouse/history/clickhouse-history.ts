import { type HistoryReader, HistoryUnavailable } from "../../../history/history-reader.ts";
import type { Log } from "../../../telemetry/log.ts";
import type { ClickhouseClientOptions } from "../client.ts";
import type { TableName } from "../schema.ts";
import { readCount, readHistogram, readTop } from "./aggregates.ts";
import { readCoverage } from "./coverage.ts";
import { exportEvents, readEvent, readEvents } from "./events.ts";
import { TableInspector } from "./inspected-table.ts";
import type { QueryContext } from "./query-run.ts";
import { SelectClient } from "./select-client.ts";

export interface ClickhouseHistoryOptions extends ClickhouseClientOptions, TableName {
  readonly log: Log;
}

/**
 * Reads the history in the table to which the output writes. Times are those of the column `timestamp`: of the event, or of
 * its arrival where that is implausible. Sensors are those of the column `sensor`: the name that a sensor gives itself.
 *
 * ClickHouse decides a query by the columns of the table; what they do not have, Loom reads from the events (plan-query.ts).
 * Nothing is closed: every request has its own connection.
 */
export function createClickhouseHistory(options: ClickhouseHistoryOptions): HistoryReader {
  const name = { database: options.database, table: options.table };
  const client = new SelectClient(options);
  const log = options.log.component("clickhouse");
  const inspector = new TableInspector(client, name, log);
  const context: QueryContext = { client, name, inspector };

  /** The table may have changed if a statement failed. */
  async function inspectingAgain<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof HistoryUnavailable) inspector.forget();
      throw error;
    }
  }

  return {
    coverage: () => inspectingAgain(readCoverage(context)),
    events: (query, page, options) => inspectingAgain(readEvents(context, query, page, options)),
    event: (id, options) => inspectingAgain(readEvent(context, id, options)),
    count: (query, options) => inspectingAgain(readCount(context, query, options)),
    top: (query, column, limit, options) =>
      inspectingAgain(readTop(context, query, { column, limit }, options)),
    histogram: (query, range, options) => inspectingAgain(readHistogram(context, query, range, options)),
    newValues: refuseFirstTimes,
    firstSeen: refuseFirstTimes,
    export: (query, options) => exportEvents(context, query, options),
    close: async () => {},
  };
}

/** The earliest row of a table says only when its value came first since older rows were removed. */
async function refuseFirstTimes(): Promise<never> {
  throw new HistoryUnavailable(
    'ClickHouse does not know when a value was first seen; add "store" to output.type and set history = "store"',
  );
}
