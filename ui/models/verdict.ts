import type { OverviewAnswer } from "../../server/management/api/answers.ts";
import { formatThings } from "../format/numbers.ts";
import { formatRefused } from "../format/refused.ts";
import { sensorLink } from "./links.ts";

export interface Finding {
  readonly mood: "bad" | "attention";
  readonly text: string;
  /** The address of the page with the details. */
  readonly href: string;
}

/**
 * The problems that an operator should know of, the worst first; empty if there are none. Refused requests of strangers are
 * not a problem: every public port gets them.
 */
export function findingsOf(overview: OverviewAnswer): Finding[] {
  const { sensors, fleet, outputs } = overview;
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
      text: `All requests of ${formatThings(sensors.refused, "sensor")} are refused`,
      href: "/sensors?state=refused",
    },
    lossFinding(overview),
    ...outputs.flatMap((output) => [
      output.state === "retrying" && {
        mood: "attention" as const,
        text: `${output.title}: ${output.words}`,
        href: "/outputs",
      },
      output.deadLetters > 0 && {
        mood: "attention" as const,
        text: `${formatThings(output.deadLetters, "event that was", "events that were")} rejected by ${output.title} ${output.deadLetters === 1 ? "is a dead letter" : "are dead letters"}`,
        href: "/outputs",
      },
    ]),
    sensors.silent > 0 && {
      mood: "attention",
      text: `${formatThings(sensors.silent, "sensor is", "sensors are")} silent`,
      href: "/sensors?state=silent",
    },
    sensors.quiet > 0 && {
      mood: "attention",
      text: `${formatThings(sensors.quiet, "sensor is", "sensors are")} quieter than usual`,
      href: "/sensors?state=quiet",
    },
    fleet.clocksOff > 0 && {
      mood: "attention",
      text: `${fleet.clocksOff === 1 ? "The clock of 1 sensor is" : `The clocks of ${formatThings(fleet.clocksOff, "sensor")} are`} off`,
      href: "/sensors?state=clock_off",
    },
    ...refusalFindings(overview),
    overview.oldDatabases > 0 && {
      mood: "attention",
      text: `${formatThings(overview.oldDatabases, "database is", "databases are")} older than 30 days`,
      href: "/enrichment",
    },
  ];
  return findings.filter((finding) => finding !== false);
}

function lossFinding({ sensors: { losing }, fleet: { worstLoss } }: OverviewAnswer): Finding | false {
  if (losing === 0 || !worstLoss) return false;
  const { sensorId, words } = worstLoss;
  return losing === 1
    ? { mood: "bad", text: `${sensorId} is losing events: ${words}`, href: sensorLink(sensorId) }
    : {
        mood: "bad",
        text: `${formatThings(losing, "sensor")} are losing events, ${sensorId} most of all: ${words}`,
        href: "/sensors?state=losing",
      };
}

function refusalFindings({ refusals: { own, claimed } }: OverviewAnswer): Finding[] {
  const findings: Finding[] = [];
  if (own.requestsLastHour > 0) {
    const { requestsLastHour: requests, eventsLastHour: events, isEstimate } = own;
    const were = requests === 1 && events <= 1 ? "was" : "were";
    const what = formatRefused({ requests, events, isEstimate });
    findings.push({
      mood: "attention",
      text: `${what} of sensors ${were} refused in the last hour`,
      href: "/refusals",
    });
  }
  if (claimed.requestsLastHour > 0)
    findings.push({
      mood: "attention",
      text: `${formatThings(claimed.requestsLastHour, "request")} with a sensor's id but not its token ${claimed.requestsLastHour === 1 ? "was" : "were"} refused in the last hour`,
      href: "/refusals",
    });
  return findings;
}

/** The sentence for an overview without findings. */
export function allIsWell({ sensors, outputs }: OverviewAnswer): string {
  if (sensors.reporting === 0) return "Ready. No sensor has sent events yet.";
  const reporting = formatThings(sensors.reporting, "sensor is", "sensors are");
  const delivering = outputs.map(({ title }) => title).join(" and ");
  const keepingUp = `${delivering} ${outputs.length === 1 ? "is" : "are"} keeping up`;
  return `No problems: ${reporting} reporting, none of their requests was refused in the last hour, and ${keepingUp}.`;
}
