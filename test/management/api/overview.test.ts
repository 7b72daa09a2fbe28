import { expect, test } from "bun:test";
import type { OutputAnswer, OverviewAnswer } from "../../../server/management/api/answers.ts";
import { createOverviewApi, type OverviewApiOptions } from "../../../server/management/api/overview.ts";
import { startHistory } from "../../../server/monitoring/history/history.ts";
import { trackRefusals } from "../../../server/monitoring/refusals/refusal-history.ts";
import { RefusalRecords } from "../../../server/monitoring/refusals/refusal-records.ts";
import { SensorTotals } from "../../../server/monitoring/sensors/sensor-totals.ts";
import { add, Ledger } from "../../../server/telemetry/ledger.ts";
import { getJson } from "../../support/api.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";

const states = { never_seen: 1, reporting: 2, quiet: 3, refused: 4, losing: 5, silent: 6 };
const fleet = {
  troubled: 18,
  clocksOff: 1,
  worstLoss: { sensorId: "vps-1", words: "≈ 43 % lost: over 20 requests/s" },
};
const outputs: readonly OutputAnswer[] = [];
const fieldHits = [{ field: "source.as.number", hits: 1, events: 2 }];

function overview(options: Partial<OverviewApiOptions> = {}) {
  const clock = createWoundClock();
  const chronicle = chronicleOf(clock);
  const ledger = new Ledger();
  const history = startHistory({ ledger, chronicle });
  const refusals = new RefusalRecords({
    claimOf: () => ({ text: undefined, sensorId: undefined }),
    chronicle,
  });
  const api = createOverviewApi({
    version: "1.2.3",
    startedAt: clock.now(),
    problem: () => undefined,
    ingestProblem: () => undefined,
    ledger,
    history,
    sensors: { fleet: () => ({ byState: states, ...fleet }) },
    refusals,
    refusalHistory: trackRefusals(history, refusals),
    outputs: () => outputs,
    outbox: () => null,
    enrichment: {
      all: () => {
        throw new Error("the overview does not need this");
      },
      fieldHits: () => fieldHits,
      oldDatabases: () => 1,
      hasBuiltinNetworks: () => true,
    },
    resources: { sample: () => {}, cpuCores: 0.25, residentBytes: 90_000_000, disk: undefined },
    viewers: () => 3,
    totals: new SensorTotals(ledger),
    chronicle,
    isStateSaved: true,
    ...options,
  });
  return { clock, ledger, refusals, get: () => getJson<OverviewAnswer>(api, "/api/v1/overview") };
}

test("the answer has the state of every part of Loom", async () => {
  const { get, ledger, refusals, clock } = overview();
  const startedAt = clock.now();
  clock.advance(20_000);
  ledger.sensor("vps-1").keptEvents = 300;
  add(ledger.sensor("vps-1").refusedBatches, "invalid_request", 1);
  add(ledger.sensor("unknown").refusedBatches, "unauthorized", 1);
  const request = { claimedId: null, client: undefined, detail: undefined };
  const refusedEvents = { count: 30, isEstimate: true };
  refusals.note({ ...request, reason: "invalid_request", sensorId: "vps-1", events: refusedEvents });
  refusals.note({ ...request, reason: "unauthorized", sensorId: "unknown" });
  const lastAt = clock.now();
  clock.advance(10_000);
  const { events, ...rest } = await get();
  expect(rest).toEqual({
    now: startedAt + 30_000,
    startedAt,
    version: "1.2.3",
    ingestProblem: null,
    problem: null,
    sensors: states,
    fleet,
    refusals: {
      requests: 2,
      requestsLastHour: 2,
      lastAt,
      byReason: { invalid_request: 1, unauthorized: 1 },
      sensorsLastHour: 1,
      own: {
        ...{ requests: 1, requestsLastHour: 1, events: 30, eventsLastHour: 30, isEstimate: true, lastAt },
        byReason: { invalid_request: { requests: 1, events: 30, isEstimate: true } },
      },
      claimed: {
        ...{
          requests: 0,
          requestsLastHour: 0,
          events: 0,
          eventsLastHour: 0,
          isEstimate: false,
          lastAt: null,
        },
        byReason: {},
      },
      strangers: {
        ...{ requests: 1, requestsLastHour: 1, events: 0, eventsLastHour: 0, isEstimate: false, lastAt },
        byReason: { unauthorized: { requests: 1, events: 0, isEstimate: false } },
      },
    },
    totals: {
      sinceAt: startedAt,
      keptEvents: 300,
      refusedRequests: 2,
      refusedByReason: { invalid_request: 1, unauthorized: 1 },
      isSaved: true,
    },
    outputs: [],
    enrichment: fieldHits,
    oldDatabases: 1,
    hasBuiltinNetworks: true,
    resources: { residentBytes: 90_000_000, cpuCores: 0.25, outbox: null, disk: null, viewers: 3 },
  });
  expect(events).toMatchObject({ kept: 300, keptLastHour: 300 });
  expect(events.history.values).toHaveLength(360);
});

test("events per second are those of the last 10 seconds", async () => {
  const { get, ledger, clock } = overview();
  ledger.sensor("vps-1").keptEvents = 1000;
  clock.advance(10_000);
  await get();
  clock.advance(10_000);
  ledger.sensor("vps-1").keptEvents += 50;
  expect((await get()).events.perSecond).toBe(5);
});

test("problems are reported", async () => {
  const { get } = overview({ problem: () => "clickhouse away", ingestProblem: () => "outbox full" });
  expect(await get()).toMatchObject({ problem: "clickhouse away", ingestProblem: "outbox full" });
});

test("twenty requests at once cause one answer to be built", async () => {
  let built = 0;
  const { get } = overview({
    outputs: () => {
      built++;
      return outputs;
    },
  });
  await Promise.all(Array.from({ length: 20 }, get));
  expect(built).toBe(1);
});
