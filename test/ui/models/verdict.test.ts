import { describe, expect, test } from "bun:test";
import type { OverviewAnswer } from "../../../server/management/api/answers.ts";
import { allIsWell, findingsOf } from "../../../ui/models/verdict.ts";
import { overviewWith, stdout } from "./overview-answer.ts";

const textsOf = (overview: OverviewAnswer) => findingsOf(overview).map(({ text }) => text);

describe("the verdict", () => {
  test("has no findings without problems, and a sentence that says so", () => {
    expect(findingsOf(overviewWith({}))).toEqual([]);
    expect(allIsWell(overviewWith({}))).toBe(
      "No problems: 2 sensors are reporting, no requests were refused in the last hour, and stdout is keeping up.",
    );
  });

  test("does not claim that all is well before a sensor has sent events", () => {
    const sensors = { reporting: 0, quiet: 0, refused: 0, rate_limited: 0, never_seen: 3 };
    expect(allIsWell(overviewWith({ sensors }))).toBe("Ready. No sensor has sent events yet.");
  });

  test("lists problems that lose events first", () => {
    const overview = overviewWith({
      ingestProblem: "outbox full",
      sensors: { reporting: 0, quiet: 3, refused: 1, rate_limited: 0, never_seen: 0 },
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
      "Requests of 1 sensor are refused",
      "ClickHouse: failing for 14 min",
      "2 events were rejected by ClickHouse",
      "3 sensors are quieter than usual",
    ]);
  });

  test("reports dropped events as bad", () => {
    const outputs = [{ ...stdout, name: "elasticsearch", title: "Elasticsearch", droppedEvents: 5 }];
    expect(findingsOf(overviewWith({ outputs }))).toEqual([
      { mood: "bad", text: "5 events were dropped before delivery to Elasticsearch", href: "/outputs" },
    ]);
  });
});
