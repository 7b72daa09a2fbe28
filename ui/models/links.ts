import type { EventFilter } from "../../server/monitoring/tail/event-filter.ts";

/** The address of a sensor's page. */
export function sensorLink(id: string): string {
  return `/sensors/${encodeURIComponent(id)}`;
}

/** The address of the live tail with one filter. */
export function tailLink(name: keyof EventFilter, value: string | number): string {
  return `/tail?${new URLSearchParams({ [name]: String(value) })}`;
}

/** The address of the live tail filtered by a fingerprint in the form of the rollups: "ja4:t13d…". */
export function fingerprintLink(key: string): string {
  const [kind = "", ...rest] = key.split(":");
  const value = rest.join(":");
  return kind === "ja4" || kind === "ja4h" || kind === "hassh"
    ? tailLink(kind, value)
    : tailLink("text", value);
}
