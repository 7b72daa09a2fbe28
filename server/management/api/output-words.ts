import type { OutputReport } from "../../outputs/output-report.ts";
import { formatDuration } from "../../text/duration.ts";
import { printable } from "../../text/printable.ts";
import { truncate } from "../../text/truncate.ts";

/** The reason is shown in full beside the sentence, with the codes of the system. */
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
 * What an output is doing now, in a sentence: "idle: no events are pending", "collecting a batch: 120 events, sent within 8 s",
 * "failing for 14 min: no answer: connection refused; next attempt in 12 s".
 * @param now milliseconds since the epoch, to which the times in the sentence are relative
 */
export function outputWords(report: OutputReport, now: number): string {
  switch (report.state) {
    case "delivering":
      return "delivering";
    case "idle":
      return idleWords(report, now);
    case "retrying":
      return `failing for ${failureWords(report, now)}`;
    case "holding":
      return `blocked for ${failureWords(report, now)}`;
  }
}

function idleWords({ waitingEvents, leavesAt }: OutputReport, now: number): string {
  if (waitingEvents === 0) return "idle: no events are pending";
  const batch = `collecting a batch: ${waitingEvents.toLocaleString("en")} ${waitingEvents === 1 ? "event" : "events"}`;
  return leavesAt === undefined ? batch : `${batch}, sent within ${inWholeSeconds(leavesAt - now)}`;
}

function failureWords(report: OutputReport, now: number): string {
  const { since, reason = "unknown reason", nextTryAt, waitingEvents } = report;
  const words = `${inWholeSeconds(now - since)}: ${printable(plain(truncate(reason, maxReasonLength)))}`;
  if (nextTryAt !== undefined && nextTryAt > now)
    return `${words}; next attempt in ${inWholeSeconds(nextTryAt - now)}`;
  // The attempt is due or in progress. If neither, no attempt is made before the next event arrives.
  return nextTryAt !== undefined || waitingEvents > 0 ? `${words}; attempt in progress` : words;
}

/** Rounded up to whole seconds, so that a moment in the future is never "in 0 s". */
function inWholeSeconds(ms: number): string {
  return formatDuration(Math.max(1, Math.ceil(ms / 1000)) * 1000);
}

function plain(reason: string): string {
  return reason.replace(/\bE[A-Z]{2,}\b/g, (code) => meaningOfCode.get(code) ?? code);
}
