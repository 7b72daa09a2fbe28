import { describe, expect, test } from "bun:test";
import { navigationMarks } from "../../../ui/models/navigation-marks.ts";
import { overviewWith, stdout } from "./overview-answer.ts";

const sensors = { reporting: 2, quiet: 0, refused: 0, rate_limited: 0, never_seen: 5 };

describe("the navigation", () => {
  test("has no marks without problems; sensors that were never seen are not a problem", () => {
    expect(navigationMarks(overviewWith({ sensors }))).toEqual({});
  });

  test("counts sensors that are refused, rate-limited or quiet, and is bad if one is refused", () => {
    const quiet = { ...sensors, quiet: 2, rate_limited: 1 };
    expect(navigationMarks(overviewWith({ sensors: quiet })).sensors).toMatchObject({
      count: 3,
      mood: "attention",
    });
    expect(navigationMarks(overviewWith({ sensors: { ...quiet, refused: 1 } })).sensors).toMatchObject({
      count: 4,
      mood: "bad",
    });
  });

  test("counts outputs that do not deliver, and is bad if one is blocked", () => {
    const marksWith = (...states: readonly (typeof stdout.state)[]) =>
      navigationMarks(overviewWith({ outputs: states.map((state) => ({ ...stdout, state })) })).outputs;
    expect(marksWith("idle", "delivering")).toBeUndefined();
    expect(marksWith("idle", "retrying")).toMatchObject({ count: 1, mood: "attention" });
    expect(marksWith("retrying", "holding")).toMatchObject({ count: 2, mood: "bad" });
  });

  test("counts the refused requests of the last hour, and old databases", () => {
    const refusals = { requests: 9, requestsLastHour: 4, lastAt: 0, byReason: {} };
    const marks = navigationMarks(overviewWith({ refusals, oldDatabases: 1 }));
    expect([marks.refusals?.count, marks.enrichment?.count]).toEqual([4, 1]);
  });
});
