/** A ClickHouse version by the year and month of its release: `24.8` is `{ year: 24, month: 8 }`. */
export interface ServerVersion {
  readonly year: number;
  readonly month: number;
}

/** Reads the answer to `SELECT version()`, such as "18.16.1" or "24.8.4.13-lts"; undefined for anything else. */
export function tryParseVersion(text: string): ServerVersion | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})(?:\.[\w.+-]{1,60})?\s*$/.exec(text);
  if (parts === null) return undefined;
  return { year: Number(parts[1]), month: Number(parts[2]) };
}

export function isAtLeast(version: ServerVersion, year: number, month: number): boolean {
  return version.year > year || (version.year === year && version.month >= month);
}

/**
 * The settings of an INSERT as URL parameters. A server refuses a query with a setting that it does not know (exception
 * 115), so newer settings are sent only to servers that have them.
 * @param token identifies the batch: a table with a deduplication window drops a batch whose token it knows
 */
export function insertSettings(version: ServerVersion, token: string): Readonly<Record<string, string>> {
  return {
    // Without it the server sends the status before the INSERT has ended.
    wait_end_of_query: "1",
    insert_deduplicate: "1",
    // A profile may switch it on. A 200 would then only mean "in memory".
    ...(isAtLeast(version, 21, 11) && { async_insert: "0" }),
    ...(isAtLeast(version, 22, 2) && { insert_deduplication_token: token }),
  };
}
