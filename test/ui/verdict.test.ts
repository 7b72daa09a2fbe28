import { describe, expect, test } from "bun:test";
import type { OutputAnswer, OverviewAnswer } from "../../server/management/api/answers.ts";
import { allIsWell, findingsOf } from "../../ui/models/verdict.ts";

const stdout: OutputAnswer = {
  name: "stdout",
  state: "idle",
  words: "idle: nothing waits",
  since: 0,
  nextTryAt: null,
  failures: 0,
  deliveredPerSecond: 0,
  history: { startAt: 0, stepMs: 1, values: [] },
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

function overviewWith(changes: Partial<OverviewAnswer>): OverviewAnswer {
  return {
    now: 0,
    startedAt: 0,
    version: "",
    ingestProblem: null,
    problem: null,
    events: { kept: 0, perSecond: 0, keptLastHour: 0, history: { startAt: 0, stepMs: 1, values: [] } },
    sensors: { reporting: 2, quiet: 0, refused: 0, rate_limited: 0, never_seen: 0 },
    refusals: { requests: 0, requestsLastHour: 0, lastAt: null, byReason: {} },
    outputs: [stdout],
    enrichment: null,
    oldDatabases: 0,
    resources: { residentBytes: 0, cpuCores: 0, outbox: null, disk: null, viewers: 0 },
    ...changes,
  };
}

const textsOf = (overview: OverviewAnswer) => findingsOf(overview).map(({ text }) => text);

describe("the verdict", () => {
  test("finds nothing where all is well, and says how well", () => {
    expect(findingsOf(overviewWith({}))).toEqual([]);
    expect(allIsWell(overviewWith({}))).toBe(
      "All is well: 2 sensors report, nothing is refused, stdout keeps up.",
    );
  });

  test("does not call it well where nobody has sent anything", () => {
    const sensors = { reporting: 0, quiet: 0, refused: 0, rate_limited: 0, never_seen: 3 };
    expect(allIsWell(overviewWith({ sensors }))).toBe("Ready. No sensor has sent anything yet.");
  });

  test("has what loses events before what may", () => {
    const overview = overviewWith({
      ingestProblem: "outbox full",
      sensors: { reporting: 0, quiet: 3, refused: 1, rate_limited: 0, never_seen: 0 },
      outputs: [
        { ...stdout, name: "clickhouse", state: "retrying", words: "away since 14 min", deadLetters: 2 },
      ],
    });
    expect(textsOf(overview)).toEqual([
      "Batches are refused or soon will be: outbox full",
      "1 sensor is refused",
      "ClickHouse: away since 14 min",
      "2 events refused for good by ClickHouse",
      "3 sensors are quieter than usual",
    ]);
  });

  test("calls dropped events bad", () => {
    const outputs = [{ ...stdout, name: "elasticsearch", droppedEvents: 5 }];
    expect(findingsOf(overviewWith({ outputs }))).toEqual([
      { mood: "bad", text: "5 events dropped before Elasticsearch had them", href: "/outputs" },
    ]);
  });
});
