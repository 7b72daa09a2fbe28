import type {
  OutputAnswer,
  OverviewAnswer,
  RefusalCountsAnswer,
} from "../../../server/management/api/answers.ts";

/** An output without problems. */
export const stdout: OutputAnswer = {
  name: "stdout",
  title: "stdout",
  state: "idle",
  words: "idle: no pending events",
  since: 0,
  nextTryAt: null,
  failures: 0,
  deliveredPerSecond: 0,
  history: { startAt: 0, stepMs: 1, values: [], pauses: [] },
  keptEvents: 0,
  deliveredEvents: 0,
  deadEvents: 0,
  droppedEvents: 0,
  retries: 0,
  waiting: { events: 0, bytes: 0, oldestAt: null },
  lastDeliveredAt: null,
  lastError: null,
  deadLetters: 0,
};

/** The number of sensors in each state; 0 in those that are not given. */
export function sensorsWith(counts: Partial<OverviewAnswer["sensors"]>): OverviewAnswer["sensors"] {
  return { reporting: 0, losing: 0, quiet: 0, silent: 0, refused: 0, never_seen: 0, ...counts };
}

export const noRefusals: RefusalCountsAnswer = {
  requests: 0,
  requestsLastHour: 0,
  events: 0,
  eventsLastHour: 0,
  isEstimate: false,
  lastAt: null,
  byReason: {},
};

export function refusalsWith(changes: Partial<OverviewAnswer["refusals"]>): OverviewAnswer["refusals"] {
  return {
    ...{ requests: 0, requestsLastHour: 0, lastAt: null, byReason: {}, sensorsLastHour: 0 },
    ...{ own: noRefusals, claimed: noRefusals, strangers: noRefusals },
    ...changes,
  };
}

/** The overview of a Loom without problems, with changes. */
export function overviewWith(changes: Partial<OverviewAnswer>): OverviewAnswer {
  return {
    now: 0,
    startedAt: 0,
    version: "",
    ingestProblem: null,
    problem: null,
    totals: { sinceAt: 0, keptEvents: 0, refusedRequests: 0, refusedByReason: {}, isSaved: true },
    events: {
      kept: 0,
      perSecond: 0,
      keptLastHour: 0,
      history: { startAt: 0, stepMs: 1, values: [], pauses: [] },
    },
    sensors: sensorsWith({ reporting: 2 }),
    fleet: { troubled: 0, clocksOff: 0, worstLoss: null },
    refusals: refusalsWith({}),
    outputs: [stdout],
    enrichment: null,
    oldDatabases: 0,
    hasBuiltinNetworks: false,
    resources: { residentBytes: 0, cpuCores: 0, outbox: null, disk: null, viewers: 0 },
    ...changes,
  };
}
