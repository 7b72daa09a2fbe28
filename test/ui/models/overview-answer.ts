import type { OutputAnswer, OverviewAnswer } from "../../../server/management/api/answers.ts";

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
    sensors: { reporting: 2, quiet: 0, refused: 0, rate_limited: 0, never_seen: 0 },
    refusals: { requests: 0, requestsLastHour: 0, lastAt: null, byReason: {} },
    outputs: [stdout],
    enrichment: null,
    oldDatabases: 0,
    hasBuiltinNetworks: false,
    resources: { residentBytes: 0, cpuCores: 0, outbox: null, disk: null, viewers: 0 },
    ...changes,
  };
}
