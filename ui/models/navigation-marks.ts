import type { OverviewAnswer } from "../../server/management/api/answers.ts";
import type { PageId } from "../page-list.ts";

/** A count beside a page's name in the navigation: so many things there need an operator. */
export interface NavigationMark {
  readonly count: number;
  readonly mood: "bad" | "attention";
  /** What is counted, to be read after the number. */
  readonly says: string;
}

/** The pages that show something that needs attention, each with its count. */
export function navigationMarks(overview: OverviewAnswer): Partial<Record<PageId, NavigationMark>> {
  const { sensors, fleet, refusals, outputs, oldDatabases } = overview;
  const marks: Partial<Record<PageId, NavigationMark>> = {};
  if (fleet.troubled > 0) {
    const mood = sensors.refused + sensors.losing > 0 ? "bad" : "attention";
    marks.sensors = {
      count: fleet.troubled,
      mood,
      says: "losing events, refused, quiet, silent or with a wrong clock",
    };
  }
  if (refusals.sensorsLastHour > 0) {
    const count = refusals.sensorsLastHour;
    marks.refusals = { count, mood: "attention", says: "with requests refused in the last hour" };
  }
  const troubled = outputs.filter(
    ({ state, deadLetters }) => state === "retrying" || state === "holding" || deadLetters > 0,
  );
  if (troubled.length > 0) {
    const mood = troubled.some(({ state }) => state === "holding") ? "bad" : "attention";
    marks.outputs = { count: troubled.length, mood, says: "not delivering or with dead letters" };
  }
  if (oldDatabases > 0)
    marks.enrichment = { count: oldDatabases, mood: "attention", says: "older than 30 days" };
  return marks;
}
