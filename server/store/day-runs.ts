import type { StoreRow } from "./docs-chunk.ts";
import { dayOf } from "./store-file-name.ts";

/** Consecutive rows that belong into one file. */
export interface Run<Row> {
  readonly day: number;
  readonly rows: Row[];
}

/** Splits rows where another file begins because of their days. @param openDay the day of the open file */
export function runsOf<Row extends StoreRow>(rows: readonly Row[], openDay: number | undefined): Run<Row>[] {
  const runs: Run<Row>[] = [];
  let run: Run<Row> | undefined = openDay === undefined ? undefined : { day: openDay, rows: [] };
  if (run) runs.push(run);
  for (const row of rows) {
    const day = dayOf(row.receivedAt);
    if (!run || !isForDay(run.day, day)) {
      run = { day, rows: [] };
      runs.push(run);
    }
    run.rows.push(row);
  }
  return runs;
}

/**
 * Whether rows of a day belong into a file. A clock that is set back a little does not begin another file; one that was
 * wrong by days does.
 */
export function isForDay(fileDay: number, day: number): boolean {
  return day === fileDay || day === fileDay - 1;
}

/** Puts rows in the order of their days if they would need more files than they have days. */
export function withoutMixedDays<Row extends StoreRow>(rows: readonly Row[]): readonly Row[] {
  const days = new Set(rows.map(({ receivedAt }) => dayOf(receivedAt)));
  if (runsOf(rows, undefined).length <= days.size) return rows;
  return rows.toSorted((a, b) => dayOf(a.receivedAt) - dayOf(b.receivedAt));
}
