import { describe, expect, test } from "bun:test";
import { navigationMarks } from "../../../ui/models/navigation-marks.ts";
import { overviewWith, refusalsWith, sensorsWith, stdout } from "./overview-answer.ts";

describe("the navigation", () => {
  test("has no marks without problems; sensors that were never seen are not a problem", () => {
    const sensors = sensorsWith({ reporting: 2, never_seen: 5 });
    expect(navigationMarks(overviewWith({ sensors }))).toEqual({});
  });

  test("counts the sensors in trouble, and is bad if one of them loses events or is refused", () => {
    const fleet = { troubled: 3, clocksOff: 1, worstLoss: null };
    const moodWith = (counts: Parameters<typeof sensorsWith>[0]) =>
      navigationMarks(overviewWith({ sensors: sensorsWith(counts), fleet })).sensors;
    expect(moodWith({ quiet: 2, silent: 1 })).toMatchObject({ count: 3, mood: "attention" });
    expect(moodWith({ quiet: 2, refused: 1 })).toMatchObject({ count: 3, mood: "bad" });
    expect(moodWith({ quiet: 2, losing: 1 })).toMatchObject({ count: 3, mood: "bad" });
  });

  test("counts outputs that do not deliver, and is bad if one is blocked", () => {
    const marksWith = (...states: readonly (typeof stdout.state)[]) =>
      navigationMarks(overviewWith({ outputs: states.map((state) => ({ ...stdout, state })) })).outputs;
    expect(marksWith("idle", "delivering")).toBeUndefined();
    expect(marksWith("idle", "retrying")).toMatchObject({ count: 1, mood: "attention" });
    expect(marksWith("retrying", "holding")).toMatchObject({ count: 2, mood: "bad" });
  });

  test("counts outputs with dead letters", () => {
    const outputs = [stdout, { ...stdout, deadLetters: 900 }];
    expect(navigationMarks(overviewWith({ outputs })).outputs).toMatchObject({
      count: 1,
      mood: "attention",
    });
  });

  test("counts the sensors with refused requests, and old databases", () => {
    const marks = navigationMarks(
      overviewWith({ refusals: refusalsWith({ sensorsLastHour: 4 }), oldDatabases: 1 }),
    );
    expect([marks.refusals?.count, marks.enrichment?.count]).toEqual([4, 1]);
  });

  test("has no mark for requests of strangers", () => {
    const refusals = refusalsWith({ requests: 9000, requestsLastHour: 9000 });
    expect(navigationMarks(overviewWith({ refusals }))).toEqual({});
  });
});
