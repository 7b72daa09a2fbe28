import { HistoryUnavailable } from "../../../history/history-reader.ts";

export type JsonValue = string | number;

export interface JsonAnswer {
  readonly rows: readonly (readonly JsonValue[])[];
  /** Of WITH TOTALS. */
  readonly totals: readonly JsonValue[];
  /** How many groups a statement with GROUP BY and LIMIT has found. */
  readonly rowsBeforeLimit: number;
}

/** Reads the format JSONCompact. @throws HistoryUnavailable if it is another text */
export function jsonAnswer(text: string): JsonAnswer {
  const answer = tryParse(text) as {
    readonly data?: JsonAnswer["rows"];
    readonly totals?: JsonAnswer["totals"];
    readonly rows_before_limit_at_least?: number;
  };
  if (!Array.isArray(answer?.data))
    throw new HistoryUnavailable("the answer is not from ClickHouse; is clickhouse_url a ClickHouse server?");
  const { data, totals = [], rows_before_limit_at_least: before } = answer;
  return { rows: data, totals, rowsBeforeLimit: before ?? data.length };
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // jsonAnswer says what the answer is not.
    return undefined;
  }
}
