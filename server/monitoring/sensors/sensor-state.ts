import { formatDuration } from "../../text/duration.ts";

export type SensorState = "never_seen" | "reporting" | "quiet" | "refused" | "rate_limited";

/** What is known of a sensor since the start; all by the monotonic clock. */
export interface SensorFacts {
  readonly sensorId: string;
  readonly sinceStartMs: number;
  /** undefined: none was kept. */
  readonly lastBatchAgoMs: number | undefined;
  /** undefined: not two batches yet. */
  readonly usualGapMs: number | undefined;
  readonly gapCount: number;
  /** The last request with its token that was refused. */
  readonly lastRefusal: RefusalFact | undefined;
  /** The last request that called itself so and was unauthorized. */
  readonly lastUnauthorizedClaim: RefusalFact | undefined;
}

export interface RefusalFact {
  readonly reason: string;
  readonly agoMs: number;
}

/** Fewer gaps than these say nothing about what is usual. */
const minGaps = 5;
/** Longer than this many usual gaps is quiet. */
const quietGaps = 5;
/** The same while it is not known what is usual. */
const quietUnknownMs = 24 * 3_600_000;
const rateLimitedMs = 5 * 60_000;
/**
 * Whoever knows a sensor's name can be refused in it: that says something about the sensor only when its own batch is
 * overdue by as many usual gaps.
 */
const overdueGaps = 2;

/**
 * The state of a sensor and, in words, what it is concluded from. A sensor sends nothing when nothing reaches it, so
 * silence alone never means that it is broken.
 */
export function stateOfSensor(
  facts: SensorFacts,
  quietAfterMs: number,
): { state: SensorState; note: string } {
  const { sensorId, lastBatchAgoMs, lastRefusal, lastUnauthorizedClaim: claim } = facts;
  const silentMs = lastBatchAgoMs ?? Number.POSITIVE_INFINITY;
  const isRefused = lastRefusal !== undefined && lastRefusal.agoMs < silentMs;
  const isClaimed = claim !== undefined && claim.agoMs < silentMs;
  const usual = facts.gapCount >= minGaps ? facts.usualGapMs : undefined;
  const batch = batchNote(facts);

  if (isRefused && lastRefusal.reason === "rate_limit_exceeded" && lastRefusal.agoMs <= rateLimitedMs)
    return {
      state: "rate_limited",
      note: `last request ${ago(lastRefusal.agoMs)} was over its rate; ${batch}`,
    };
  // One that was over its rate long ago is judged by its silence, if a batch of it was ever kept.
  if (isRefused && (lastRefusal.reason !== "rate_limit_exceeded" || lastBatchAgoMs === undefined))
    return {
      state: "refused",
      note: `last request ${ago(lastRefusal.agoMs)} was refused: ${lastRefusal.reason}; ${batch}`,
    };

  const impostor =
    claim && `a client that calls itself ${sensorId} is refused: ${claim.reason}, last ${ago(claim.agoMs)}`;
  if (isClaimed && (usual === undefined || silentMs > overdueGaps * usual))
    return { state: "refused", note: `${impostor}; ${batch}` };

  if (lastBatchAgoMs === undefined)
    return {
      state: "never_seen",
      note: `never seen: no request with its token has come since Loom started ${ago(facts.sinceStartMs)}`,
    };

  const quietMs = Math.max(quietAfterMs, usual === undefined ? quietUnknownMs : quietGaps * usual);
  if (silentMs > quietMs)
    return { state: "quiet", note: `${batch}; it sends nothing while nothing reaches it` };
  return { state: "reporting", note: isClaimed ? `${batch}; ${impostor}` : batch };
}

function batchNote({ lastBatchAgoMs, usualGapMs }: SensorFacts): string {
  if (lastBatchAgoMs === undefined) return "no batch was kept since the start";
  const last = `last batch ${ago(lastBatchAgoMs)}`;
  return usualGapMs === undefined ? last : `${last}, usual gap ${formatDuration(usualGapMs)}`;
}

function ago(ms: number): string {
  return `${formatDuration(ms)} ago`;
}
