import type { OverviewAnswer } from "../../server/management/api/answers.ts";
import type { PageId } from "../page-list.ts";

/** A count beside a page's name in the navigation. */
export interface NavigationMark {
  readonly count: number;
  readonly mood: "bad" | "attention";
  /** What is counted, to be read after the number. */
  readonly says: string;
}

/** The pages that show something that needs attention, each with its count. */
export function navigationMarks(overview: OverviewAnswer): Partial<Record<PageId, NavigationMark>> {
  const { sensors, refusals, outputs, oldDatabases } = overview;
  const marks: Partial<Record<PageId, NavigationMark>> = {};
  const troubled = sensors.refused + sensors.quiet + sensors.rate_limited;
  if (troubled > 0) {
    const mood = sensors.refused > 0 ? "bad" : "attention";
    marks.sensors = { count: troubled, mood, says: "refused, rate-limited or quiet" };
  }
  if (refusals.requestsLastHour > 0) {
    const count = refusals.requestsLastHour;
    marks.refusals = { count, mood: "attention", says: "refused in the last hour" };
  }
  const failing = outputs.filter(({ state }) => state === "retrying" || state === "holding");
  if (failing.length > 0) {
    const mood = failing.some(({ state }) => state === "holding") ? "bad" : "attention";
    marks.outputs = { count: failing.length, mood, says: "not delivering" };
  }
  if (oldDatabases > 0)
    marks.enrichment = { count: oldDatabases, mood: "attention", says: "older than 30 days" };
  return marks;
}
