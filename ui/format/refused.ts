import { formatShortCount, formatThings } from "./numbers.ts";

export interface RefusedCount {
  readonly requests: number;
  readonly events: number;
  /** Whether `events` has estimates. */
  readonly isEstimate: boolean;
}

/** "≈ 1,200 events in 24 requests"; only the requests if nothing is known of their events. */
export function formatRefused({ requests, events, isEstimate }: RefusedCount): string {
  const inRequests = formatThings(requests, "request");
  return events === 0 ? inRequests : `${about(isEstimate)}${formatThings(events, "event")} in ${inRequests}`;
}

/** A number of events for a narrow column: "≈ 1.2M". */
export function formatRefusedEvents({ events, isEstimate }: Omit<RefusedCount, "requests">): string {
  return `${events > 0 ? about(isEstimate) : ""}${formatShortCount(events)}`;
}

function about(isEstimate: boolean): string {
  return isEstimate ? "≈ " : "";
}
