import type { History } from "../history/history.ts";
import type { Series } from "../history/series.ts";
import type { RefusalKind } from "./refusal-counts.ts";
import type { RefusalRecords } from "./refusal-records.ts";

/** The refused requests over time, by whom they concern. */
export interface RefusalHistory {
  /** The requests, and their events, that were refused in the last hour. */
  lastHour(kind: RefusalKind): { readonly requests: number; readonly events: number };
  /** Requests that concern a sensor, its own ones and those that only claimed its id, in each 10 s of the last hour. */
  readonly sensorRequests: () => Series;
  /** Requests of strangers. */
  readonly strangerRequests: () => Series;
}

const hourMs = 3_600_000;

/** To be called at the start: what was counted before it is in the saved history already. */
export function trackRefusals(history: Pick<History, "track">, refusals: RefusalRecords): RefusalHistory {
  const trackSum = (name: string, sum: () => number) => {
    const saved = sum();
    return history.track(name, () => sum() - saved);
  };
  const track = (kind: RefusalKind) => ({
    requests: trackSum(`refused requests, ${kind}`, () => refusals.counts(kind).total.requests),
    events: trackSum(`refused events, ${kind}`, () => refusals.counts(kind).total.events),
  });
  const counters = { own: track("own"), claimed: track("claimed"), stranger: track("stranger") };
  const ofSensors = trackSum(
    "refused requests, sensors",
    () => refusals.counts("own").total.requests + refusals.counts("claimed").total.requests,
  );
  return {
    lastHour(kind) {
      const { requests, events } = counters[kind];
      return {
        requests: Math.round(requests.countOver(hourMs)),
        events: Math.round(events.countOver(hourMs)),
      };
    },
    sensorRequests: () => ofSensors.lastHour(),
    strangerRequests: () => counters.stranger.requests.lastHour(),
  };
}
