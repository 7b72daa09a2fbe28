import type { OutputReport } from "../../outputs/output-report.ts";
import { printable } from "../../text/printable.ts";

/** The reason stands beside the sentence in full, with the system's own codes. */
const maxReasonLength = 300;

const meaningOfCode = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection cut"],
  ["EHOSTUNREACH", "host unreachable"],
  ["EIO", "the disk fails"],
  ["ENETUNREACH", "network unreachable"],
  ["ENOSPC", "no space left on the disk"],
  ["ENOTFOUND", "no such host"],
  ["ETIMEDOUT", "timed out"],
]);

/**
 * What an output does now, in a sentence: "idle: nothing waits", "collecting a batch: 120 events, leaves within 8 s",
 * "failing for 14 min: no answer: connection refused; next try in 12 s". Times in it are relative to `now`, milliseconds since the epoch.
 */
export function outputWords(report: OutputReport, now: number): string {
  switch (report.state) {
    case "delivering":
      return "delivering";
    case "idle":
      return idleWords(report, now);
    case "retrying":
      return `failing for ${troubleWords(report, now, "next try")}`;
    case "holding":
      return `held for ${troubleWords(report, now, "trying again")}`;
  }
}

function idleWords({ waitingEvents, leavesAt }: OutputReport, now: number): string {
  if (waitingEvents === 0) return "idle: nothing waits";
  const batch = `collecting a batch: ${waitingEvents.toLocaleString("en")} ${waitingEvents === 1 ? "event" : "events"}`;
  return leavesAt === undefined ? batch : `${batch}, leaves within ${duration(leavesAt - now)}`;
}

function troubleWords(report: OutputReport, now: number, nextTry: string): string {
  const { since, reason = "no reason known", nextTryAt, waitingEvents } = report;
  const words = `${duration(now - since)}: ${printable(plain(cut(reason)))}`;
  if (nextTryAt !== undefined && nextTryAt > now)
    return `${words}; ${nextTry} in ${duration(nextTryAt - now)}`;
  // Its time has come, or it is on its way; without either nothing is tried before the next event comes.
  return nextTryAt !== undefined || waitingEvents > 0 ? `${words}; trying now` : words;
}

/** In its largest fitting unit, rounded up, so that what is to come is never in 0 s: "12 s", "14 min", "3 h", "2 d". */
function duration(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function plain(reason: string): string {
  return reason.replace(/\bE[A-Z]{2,}\b/g, (code) => meaningOfCode.get(code) ?? code);
}

function cut(text: string): string {
  return text.length <= maxReasonLength ? text : `${text.slice(0, maxReasonLength)}…`;
}
