import type { EventFilter } from "../../server/monitoring/tail/event-filter.ts";

/** The live tail with one filter set. */
export function tailLink(name: keyof EventFilter, value: string | number): string {
  return `/tail?${new URLSearchParams({ [name]: String(value) })}`;
}

/** The same for a fingerprint as the rollups write it: "ja4:t13d…". */
export function fingerprintLink(key: string): string {
  const [kind = "", ...rest] = key.split(":");
  const value = rest.join(":");
  return kind === "ja4" || kind === "ja4h" || kind === "hassh"
    ? tailLink(kind, value)
    : tailLink("text", value);
}
