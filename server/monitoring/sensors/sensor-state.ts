import { formatDuration } from "../../text/duration.ts";

export type SensorState = "never_seen" | "reporting" | "quiet" | "refused" | "rate_limited";

export interface SensorJudgement {
  readonly state: SensorState;
  readonly note: string;
}

/** What is known of a sensor since the start. Durations are measured by the monotonic clock. */
export interface SensorFacts {
  /** undefined: no batch was kept. */
  readonly lastBatchAgoMs: number | undefined;
  /** undefined: fewer than two batches were kept. */
  readonly usualGapMs: number | undefined;
  readonly gapCount: number;
  /** The last refused request that had the sensor's token. */
  readonly lastRefusal: RefusalFact | undefined;
  /** The last request that named this sensor in X-Spip-ID and was refused as unauthorized. */
  readonly lastUnauthorizedClaim: RefusalFact | undefined;
}

export interface RefusalFact {
  readonly reason: string;
  readonly agoMs: number;
}

/** With fewer gaps than this, the usual gap is unknown. */
const minGaps = 5;
/** A sensor is quiet if its last batch is this many usual gaps ago. */
const quietGaps = 5;
/** A sensor is quiet after this time if its usual gap is unknown. */
const quietUnknownMs = 24 * 3_600_000;
const rateLimitedMs = 5 * 60_000;
/**
 * Every client that knows a sensor's id can send requests under this id that are refused. They say something about the
 * sensor only if its own batch is overdue by this many usual gaps.
 */
const overdueGaps = 2;

/**
 * The state of a sensor, and a note that says what the state is based on. The note does not repeat the state, and that of a
 * reporting sensor seldom changes. A sensor that receives no traffic sends nothing, so silence alone never means that it is
 * broken.
 */
export function stateOfSensor(facts: SensorFacts, quietAfterMs: number): SensorJudgement {
  const { lastBatchAgoMs, lastRefusal, lastUnauthorizedClaim: claim } = facts;
  const silentMs = lastBatchAgoMs ?? Number.POSITIVE_INFINITY;
  const isRefused = lastRefusal !== undefined && lastRefusal.agoMs < silentMs;
  const isClaimed = claim !== undefined && claim.agoMs < silentMs;
  const usual = facts.gapCount >= minGaps ? facts.usualGapMs : undefined;
  const batch = batchNote(facts);

  if (isRefused && lastRefusal.reason === "rate_limit_exceeded" && lastRefusal.agoMs <= rateLimitedMs)
    return {
      state: "rate_limited",
      note: `the last request, ${ago(lastRefusal.agoMs)}, exceeded the rate limit; ${batch}`,
    };
  // A sensor that exceeded its rate limit long ago is judged by its silence, if a batch of it was ever kept.
  if (isRefused && (lastRefusal.reason !== "rate_limit_exceeded" || lastBatchAgoMs === undefined))
    return {
      state: "refused",
      note: `the last request, ${ago(lastRefusal.agoMs)}, was refused: ${lastRefusal.reason}; ${batch}`,
    };

  const impostor =
    claim && `requests with its id but not its token are refused, the last ${ago(claim.agoMs)}`;
  if (isClaimed && (usual === undefined || silentMs > overdueGaps * usual))
    return { state: "refused", note: `${impostor}; ${batch}` };

  if (lastBatchAgoMs === undefined)
    return { state: "never_seen", note: "no request with its token since Loom started" };

  const quietMs = Math.max(quietAfterMs, usual === undefined ? quietUnknownMs : quietGaps * usual);
  if (silentMs > quietMs)
    return { state: "quiet", note: `${batch}; a sensor that receives no traffic sends nothing` };
  const gap = gapNote(facts.usualGapMs);
  return { state: "reporting", note: isClaimed ? `${gap}; ${impostor}` : gap };
}

function batchNote({ lastBatchAgoMs, usualGapMs }: SensorFacts): string {
  if (lastBatchAgoMs === undefined) return "no batch kept since Loom started";
  return `last batch ${ago(lastBatchAgoMs)}, ${gapNote(usualGapMs)}`;
}

function gapNote(usualGapMs: number | undefined): string {
  return usualGapMs === undefined ? "usual gap not known yet" : `usual gap ${inWholeSeconds(usualGapMs)}`;
}

function ago(ms: number): string {
  return `${inWholeSeconds(ms)} ago`;
}

/** The dashboard polls the note, so tenths of a second would change it each time. */
function inWholeSeconds(ms: number): string {
  return formatDuration(Math.max(1, Math.round(ms / 1000)) * 1000);
}
