import type { OverviewAnswer } from "../../server/management/api/answers.ts";
import { formatThings } from "../format/numbers.ts";
import { outputTitle } from "../format/output-title.ts";

export interface Finding {
  readonly mood: "bad" | "attention";
  readonly text: string;
  /** The page that says more. */
  readonly href: string;
}

/** What an operator should know at once, the worst first; empty: all is well. */
export function findingsOf(overview: OverviewAnswer): Finding[] {
  const { sensors, outputs, refusals } = overview;
  const findings: (Finding | false)[] = [
    overview.ingestProblem !== null && {
      mood: "bad",
      text: `Batches are refused or soon will be: ${overview.ingestProblem}`,
      href: "/outputs",
    },
    ...outputs.flatMap((output) => [
      output.state === "holding" && {
        mood: "bad" as const,
        text: `${outputTitle(output.name)}: ${output.words}`,
        href: "/outputs",
      },
      output.droppedEvents > 0 && {
        mood: "bad" as const,
        text: `${formatThings(output.droppedEvents, "event")} dropped before ${outputTitle(output.name)} had them`,
        href: "/outputs",
      },
    ]),
    sensors.refused > 0 && {
      mood: "bad",
      text: `${formatThings(sensors.refused, "sensor is", "sensors are")} refused`,
      href: "/sensors?state=refused",
    },
    ...outputs.flatMap((output) => [
      output.state === "retrying" && {
        mood: "attention" as const,
        text: `${outputTitle(output.name)}: ${output.words}`,
        href: "/outputs",
      },
      output.deadLetters > 0 && {
        mood: "attention" as const,
        text: `${formatThings(output.deadLetters, "event")} refused for good by ${outputTitle(output.name)}`,
        href: "/outputs",
      },
    ]),
    sensors.rate_limited > 0 && {
      mood: "attention",
      text: `${formatThings(sensors.rate_limited, "sensor sends", "sensors send")} more than the limit allows`,
      href: "/sensors?state=rate_limited",
    },
    sensors.quiet > 0 && {
      mood: "attention",
      text: `${formatThings(sensors.quiet, "sensor is", "sensors are")} quieter than usual`,
      href: "/sensors?state=quiet",
    },
    refusals.requestsLastHour > 0 && {
      mood: "attention",
      text: `${formatThings(refusals.requestsLastHour, "request")} refused in the last hour`,
      href: "/refusals",
    },
    overview.oldDatabases > 0 && {
      mood: "attention",
      text: `${formatThings(overview.oldDatabases, "database is", "databases are")} older than 30 days`,
      href: "/enrichment",
    },
  ];
  return findings.filter((finding) => finding !== false);
}

/** The sentence where nothing was found. */
export function allIsWell({ sensors, outputs }: OverviewAnswer): string {
  const isNobodyThere = sensors.reporting + sensors.quiet + sensors.refused + sensors.rate_limited === 0;
  if (isNobodyThere) return "Ready. No sensor has sent anything yet.";
  const reporting = formatThings(sensors.reporting, "sensor reports", "sensors report");
  const delivering = outputs.map(({ name }) => outputTitle(name)).join(" and ");
  return `All is well: ${reporting}, nothing is refused, ${delivering} ${outputs.length === 1 ? "keeps" : "keep"} up.`;
}
