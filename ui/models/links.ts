import { addressKey } from "../../server/address-key.ts";
import type { ColumnName } from "../../server/event/columns.ts";
import { maxKeyLength } from "../../server/monitoring/rollups/key-length.ts";
import { columnQuery, quoteWord } from "../../server/query/format-query.ts";

/** The address of a sensor's page. */
export function sensorLink(id: string): string {
  return `/sensors/${encodeURIComponent(id)}`;
}

/** The address of the live tail with a query; "" for all events. */
export function tailLink(query: string): string {
  return query === "" ? "/tail" : `/tail?${new URLSearchParams({ q: query })}`;
}

/** The query of the events that have a value. @param value as it is shown */
export function valueQuery(column: ColumnName, value: string | number): string {
  // source.ip may contain anything: what is not an address can only be found as text.
  const isText = column === "ip" && addressKey(String(value)) === undefined;
  return isText ? quoteWord(String(value)) : columnQuery(column, value);
}

/** The address of the live tail with the events that have a value. @param value as it is shown */
export function columnLink(column: ColumnName, value: string | number): string {
  return tailLink(valueQuery(column, value));
}

/** The same for a value of a top list, which is cut if it is long. */
export function keyLink(column: ColumnName, key: string): string {
  // A surrogate pair is not cut in two, so that a cut key may be one shorter.
  return key.length < maxKeyLength - 1 ? columnLink(column, key) : tailLink(`${columnQuery(column, key)}*`);
}

/** The address of the live tail filtered by a fingerprint in the form of the rollups: "ja4:t13d…". */
export function fingerprintLink(key: string): string {
  const [kind = "", ...rest] = key.split(":");
  const value = rest.join(":");
  return kind === "ja4" || kind === "ja4h" || kind === "hassh"
    ? columnLink(kind, value)
    : tailLink(quoteWord(value));
}
