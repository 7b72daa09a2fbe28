/*
 * The names of the store's files: `<day>-<number of the first row>.db`. Files are ordered by this number, because a clock
 * may be set back.
 */

export interface StoreFileName {
  readonly name: string;
  /** Days since the epoch (UTC) on which the first row was received. */
  readonly day: number;
  readonly firstRow: number;
}

/** Files that SQLite keeps beside a database. */
export const companionSuffixes = ["-wal", "-shm", "-journal"] as const;

/** No file has more rows: each takes up more than a byte. */
export const maxRowsPerFile = 2 ** 30;

const pattern = /^(\d{4}-\d\d-\d\d)-([1-9]\d{0,15})\.db$/;
export const dayMs = 86_400_000;
/** The last day that a name can have: 9999-12-31. */
const lastDay = 2_932_896;

/** @returns undefined if no file of the store has such a name */
export function tryParseFileName(name: string): StoreFileName | undefined {
  const [, date, number] = pattern.exec(name) ?? [];
  if (date === undefined) return undefined;
  const day = Date.parse(date) / dayMs;
  const firstRow = Number(number);
  return Number.isNaN(day) || !Number.isSafeInteger(firstRow) ? undefined : { name, day, firstRow };
}

export function fileName(day: number, firstRow: number): StoreFileName {
  const date = new Date(day * dayMs).toISOString().slice(0, 10);
  return { name: `${date}-${firstRow}.db`, day, firstRow };
}

/** @param ms milliseconds since the epoch */
export function dayOf(ms: number): number {
  const day = Math.floor(ms / dayMs);
  return day >= 0 && day <= lastDay ? day : 0;
}
