import { describe, expect, test } from "bun:test";
import type { OverviewAnswer } from "../../../server/management/api/answers.ts";
import { allIsWell, findingsOf } from "../../../ui/models/verdict.ts";
import { noRefusals, overviewWith, refusalsWith, sensorsWith, stdout } from "./overview-answer.ts";

const textsOf = (overview: OverviewAnswer) => findingsOf(overview).map(({ text }) => text);

const words = "≈ 43 % lost: over 20 requests/s";

describe("the verdict", () => {
  test("has no findings without problems, and a sentence that says so", () => {
    expect(findingsOf(overviewWith({}))).toEqual([]);
    expect(allIsWell(overviewWith({}))).toBe(
      "No problems: 2 sensors are reporting, none of their requests was refused in the last hour, and stdout is keeping up.",
    );
  });

  test("does not claim that all is well before a sensor has sent events", () => {
    const sensors = sensorsWith({ never_seen: 3 });
    expect(allIsWell(overviewWith({ sensors }))).toBe("Ready. No sensor has sent events yet.");
  });

  test("lists problems that lose events first", () => {
    const overview = overviewWith({
      ingestProblem: "outbox full",
      sensors: sensorsWith({ quiet: 3, silent: 1, refused: 1, losing: 1 }),
      fleet: { troubled: 8, clocksOff: 2, worstLoss: { sensorId: "vps-1", words } },
      outputs: [
        {
          ...stdout,
          name: "clickhouse",
          title: "ClickHouse",
          state: "retrying",
          words: "failing for 14 min",
          deadLetters: 2,
        },
      ],
    });
    expect(textsOf(overview)).toEqual([
      "Batches are refused, or will be soon: outbox full",
      "All requests of 1 sensor are refused",
      "vps-1 is losing events: ≈ 43 % lost: over 20 requests/s",
      "ClickHouse: failing for 14 min",
      "2 events that were rejected by ClickHouse are dead letters",
      "1 sensor is silent",
      "3 sensors are quieter than usual",
      "The clocks of 2 sensors are off",
    ]);
  });

  test("reports dropped events as bad", () => {
    const outputs = [{ ...stdout, name: "elasticsearch", title: "Elasticsearch", droppedEvents: 5 }];
    expect(findingsOf(overviewWith({ outputs }))).toEqual([
      { mood: "bad", text: "5 events were dropped before delivery to Elasticsearch", href: "/outputs" },
    ]);
  });

  test("names the sensor that loses most, and leads to it or to all that lose events", () => {
    const fleet = { troubled: 1, clocksOff: 0, worstLoss: { sensorId: "vps 1", words } };
    expect(findingsOf(overviewWith({ sensors: sensorsWith({ losing: 1 }), fleet }))).toEqual([
      { mood: "bad", text: `vps 1 is losing events: ${words}`, href: "/sensors/vps%201" },
    ]);
    expect(findingsOf(overviewWith({ sensors: sensorsWith({ losing: 3 }), fleet }))).toEqual([
      {
        mood: "bad",
        text: `3 sensors are losing events, vps 1 most of all: ${words}`,
        href: "/sensors?state=losing",
      },
    ]);
  });

  test("has the refused events of sensors, and requests that only claim an id", () => {
    const own = { ...noRefusals, requestsLastHour: 24, eventsLastHour: 1200, isEstimate: true };
    const claimed = { ...noRefusals, requestsLastHour: 1, eventsLastHour: 30, isEstimate: true };
    expect(textsOf(overviewWith({ refusals: refusalsWith({ own, claimed }) }))).toEqual([
      "≈ 1,200 events in 24 requests of sensors were refused in the last hour",
      "1 request with a sensor's id but not its token was refused in the last hour",
    ]);
  });

  test("has no finding for the requests of strangers, however many they are", () => {
    const strangers = { ...noRefusals, requests: 90_000, requestsLastHour: 9000, lastAt: 1 };
    const refusals = refusalsWith({ requests: 90_000, requestsLastHour: 9000, lastAt: 1, strangers });
    expect(findingsOf(overviewWith({ refusals }))).toEqual([]);
  });

  test("has a clock that is off", () => {
    const fleet = { troubled: 1, clocksOff: 1, worstLoss: null };
    expect(findingsOf(overviewWith({ fleet }))).toEqual([
      { mood: "attention", text: "The clock of 1 sensor is off", href: "/sensors?state=clock_off" },
    ]);
  });
});
