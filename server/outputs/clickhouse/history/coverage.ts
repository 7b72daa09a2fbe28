import { type CoverageAnswer, HistoryUnavailable } from "../../../history/history-reader.ts";
import { type QueryContext, QueryRun } from "./query-run.ts";
import { bytesStatement } from "./statements.ts";

const everything = { terms: [], since: undefined, until: undefined };

/** What the table has. @throws HistoryUnavailable */
export async function readCoverage(context: QueryContext): Promise<CoverageAnswer> {
  const run = await QueryRun.start(context, everything);
  const { from, to } = run.range;
  const isEmpty = from === to;
  return {
    time: "event",
    oldest: isEmpty ? undefined : from,
    newest: isEmpty ? undefined : to - 1,
    events: run.rowsInTable,
    bytes: await readBytes(run, context),
    damagedEvents: 0,
  };
}

/** The account may not be allowed to read system tables, and a distributed table has no parts. */
async function readBytes(run: QueryRun, { name }: QueryContext): Promise<number | undefined> {
  try {
    const [[bytes = 0] = []] = (await run.select(bytesStatement(name))).rows;
    return Number(bytes) || undefined;
  } catch (error) {
    if (error instanceof HistoryUnavailable) return undefined;
    throw error;
  }
}
