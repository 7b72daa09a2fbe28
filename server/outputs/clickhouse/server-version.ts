/** A ClickHouse version: year and month of its release line, `24.8` as `{ year: 24, month: 8 }`. */
export interface ServerVersion {
  readonly year: number;
  readonly month: number;
}

/** Reads what `SELECT version()` answers, as in "18.16.1" or "24.8.4.13-lts"; undefined for anything else. */
export function tryParseVersion(text: string): ServerVersion | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})(?:\.[\w.+-]{1,60})?\s*$/.exec(text);
  if (parts === null) return undefined;
  return { year: Number(parts[1]), month: Number(parts[2]) };
}

export function isAtLeast(version: ServerVersion, year: number, month: number): boolean {
  return version.year > year || (version.year === year && version.month >= month);
}

/**
 * The settings of an INSERT as URL parameters. A server refuses a whole query for one setting that it does not know
 * (exception 115), so newer ones go only to servers that have them.
 * @param token names the batch: the same one again is dropped by a table with a deduplication window.
 */
export function insertSettings(version: ServerVersion, token: string): Readonly<Record<string, string>> {
  return {
    // Without it the answer's status is on its way before the INSERT has ended.
    wait_end_of_query: "1",
    insert_deduplicate: "1",
    // A profile may switch it on, and then 200 would only mean "in memory".
    ...(isAtLeast(version, 21, 11) && { async_insert: "0" }),
    ...(isAtLeast(version, 22, 2) && { insert_deduplication_token: token }),
  };
}
