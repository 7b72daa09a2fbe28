import type { OverviewAnswer } from "../../server/management/api/answers.ts";
import { formatThings } from "../format/numbers.ts";

export interface Finding {
  readonly mood: "bad" | "attention";
  readonly text: string;
  /** The address of the page with the details. */
  readonly href: string;
}

/** The problems that an operator should know of, the worst first; empty if there are none. */
export function findingsOf(overview: OverviewAnswer): Finding[] {
  const { sensors, outputs, refusals } = overview;
  const findings: (Finding | false)[] = [
    overview.ingestProblem !== null && {
      mood: "bad",
      text: `Batches are refused, or will be soon: ${overview.ingestProblem}`,
      href: "/outputs",
    },
    ...outputs.flatMap((output) => [
      output.state === "holding" && {
        mood: "bad" as const,
        text: `${output.title}: ${output.words}`,
        href: "/outputs",
      },
      output.droppedEvents > 0 && {
        mood: "bad" as const,
        text: `${formatThings(output.droppedEvents, "event was", "events were")} dropped before delivery to ${output.title}`,
        href: "/outputs",
      },
    ]),
    sensors.refused > 0 && {
      mood: "bad",
      text: `Requests of ${formatThings(sensors.refused, "sensor")} are refused`,
      href: "/sensors?state=refused",
    },
    ...outputs.flatMap((output) => [
      output.state === "retrying" && {
        mood: "attention" as const,
        text: `${output.title}: ${output.words}`,
        href: "/outputs",
      },
      output.deadLetters > 0 && {
        mood: "attention" as const,
        text: `${formatThings(output.deadLetters, "event was", "events were")} rejected by ${output.title}`,
        href: "/outputs",
      },
    ]),
    sensors.rate_limited > 0 && {
      mood: "attention",
      text: `${formatThings(sensors.rate_limited, "sensor exceeds", "sensors exceed")} the rate limit`,
      href: "/sensors?state=rate_limited",
    },
    sensors.quiet > 0 && {
      mood: "attention",
      text: `${formatThings(sensors.quiet, "sensor is", "sensors are")} quieter than usual`,
      href: "/sensors?state=quiet",
    },
    refusals.requestsLastHour > 0 && {
      mood: "attention",
      text: `${formatThings(refusals.requestsLastHour, "request was", "requests were")} refused in the last hour`,
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

/** The sentence for an overview without findings. */
export function allIsWell({ sensors, outputs }: OverviewAnswer): string {
  const seen = sensors.reporting + sensors.quiet + sensors.refused + sensors.rate_limited;
  if (seen === 0) return "Ready. No sensor has sent events yet.";
  const reporting = formatThings(sensors.reporting, "sensor is", "sensors are");
  const delivering = outputs.map(({ title }) => title).join(" and ");
  const keepingUp = `${delivering} ${outputs.length === 1 ? "is" : "are"} keeping up`;
  return `No problems: ${reporting} reporting, no requests were refused in the last hour, and ${keepingUp}.`;
}
