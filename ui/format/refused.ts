import type { RefusedCountAnswer } from "../../server/management/api/answers.ts";
import { formatShortCount, formatThings } from "./numbers.ts";

/** "≈ 1,200 events in 24 requests"; only the requests if nothing is known of their events. */
export function formatRefused({ requests, events, isEstimate }: RefusedCountAnswer): string {
  const inRequests = formatThings(requests, "request");
  return events === 0 ? inRequests : `${about(isEstimate)}${formatThings(events, "event")} in ${inRequests}`;
}

/** A number of events for a narrow column: "≈ 1.2M". */
export function formatRefusedEvents({ events, isEstimate }: Omit<RefusedCountAnswer, "requests">): string {
  return `${events > 0 ? about(isEstimate) : ""}${formatShortCount(events)}`;
}

function about(isEstimate: boolean): string {
  return isEstimate ? "≈ " : "";
}
