import { formatDuration } from "../../text/duration.ts";
import type { Loss } from "./loss-window.ts";
import { lossWords } from "./loss-words.ts";

/**
 * losing: a part of its batches is refused, now or in the last five minutes. refused: all of them are. quiet: it has not sent
 * a batch for longer than usual. silent: for much longer.
 */
export type SensorState = "never_seen" | "reporting" | "losing" | "quiet" | "silent" | "refused";

export interface SensorJudgement {
  readonly state: SensorState;
  readonly note: string;
}

/** What is known of a sensor. Durations are those of the chronicle. */
export interface SensorFacts {
  /** undefined: no batch was kept. */
  readonly lastBatchAgoMs: number | undefined;
  /** How much of the time since the last batch Loom ran; undefined: no batch was kept. */
  readonly listenedMs: number | undefined;
  /** How long ago this process was started. */
  readonly startedAgoMs: number;
  /** How long ago Loom was started for the first time; `startedAgoMs` if nothing is known from before this start. */
  readonly firstStartedAgoMs: number;
  /** undefined: fewer than two batches were kept. */
  readonly usualGapMs: number | undefined;
  readonly gapCount: number;
  /** undefined: none of its requests was refused in the last five minutes. */
  readonly loss: Loss | undefined;
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
/** A quiet sensor is silent after this time, or after twice the time after which it was quiet. */
const silentMinMs = 3_600_000;
/** Spip sends an event within 10 s, so a larger offset comes from the sensor's clock. */
const clockOffSeconds = 300;
/**
 * Every client that knows a sensor's id can send requests under this id that are refused. They say something about the
 * sensor only if its own batch is overdue by this many usual gaps.
 */
const overdueGaps = 2;
/** A note mentions a time in which Loom did not run if it is at least this long. */
const noticeablePauseMs = 60_000;

/**
 * The state of a sensor, and a note that says what the state is based on. The note does not repeat the state, and that of a
 * reporting sensor seldom changes. A sensor that receives no traffic sends nothing, so silence alone never means that it is
 * broken.
 */
export function stateOfSensor(facts: SensorFacts, quietAfterMs: number): SensorJudgement {
  const { lastBatchAgoMs, loss, lastRefusal, lastUnauthorizedClaim: claim } = facts;
  const silentMs = lastBatchAgoMs ?? Number.POSITIVE_INFINITY;
  // While Loom did not run, no sensor could send a batch, so that time says nothing about the sensor.
  const overdueMs = facts.listenedMs ?? Number.POSITIVE_INFINITY;
  const isRefused = lastRefusal !== undefined && lastRefusal.agoMs < silentMs;
  const isClaimed = claim !== undefined && claim.agoMs < silentMs;
  const usual = facts.gapCount >= minGaps ? facts.usualGapMs : undefined;
  const batch = batchNote(facts);

  if (loss && isPartial(loss, silentMs))
    return { state: "losing", note: `${lossWords(loss)}; ${requestsNote(loss)}` };
  // A sensor that exceeded its rate limit long ago is judged by its silence, if a batch of it was ever kept.
  const isOldExcess = !loss && lastRefusal?.reason === "rate_limit_exceeded" && lastBatchAgoMs !== undefined;
  if (isRefused && !isOldExcess)
    return {
      state: "refused",
      note: `the last request, ${ago(lastRefusal.agoMs)}, was refused: ${lastRefusal.reason}; ${batch}`,
    };

  const impostor =
    claim && `requests with its id but not its token are refused, the last ${ago(claim.agoMs)}`;
  if (isClaimed && (usual === undefined || overdueMs > overdueGaps * usual))
    return { state: "refused", note: `${impostor}; ${batch}` };

  if (lastBatchAgoMs === undefined)
    return { state: "never_seen", note: `no request with its token since ${start(facts)}` };

  const quietMs = Math.max(quietAfterMs, usual === undefined ? quietUnknownMs : quietGaps * usual);
  if (overdueMs > quietMs) {
    const state = overdueMs > Math.max(silentMinMs, 2 * quietMs) ? "silent" : "quiet";
    return { state, note: `${batch}; a sensor that receives no traffic sends nothing` };
  }
  const gap = waitNote(facts);
  return { state: "reporting", note: isClaimed ? `${gap}; ${impostor}` : gap };
}

/**
 * Whether some batches are kept. A sensor over its rate always sends some that are kept, so it is enough that one was kept in
 * the same five minutes; with another reason, one has to be kept since the first refusal.
 */
function isPartial(loss: Loss, silentMs: number): boolean {
  if (loss.keptRequests === 0) return false;
  return loss.reason === "rate_limit_exceeded" || silentMs < loss.firstRefusedAgoMs;
}

function requestsNote({ refusedRequests, keptRequests }: Loss): string {
  return `${refusedRequests} of ${refusedRequests + keptRequests} requests were refused in the last 5 min`;
}

/** Whether a sensor's clock is wrong, so that its time stamps and its checks of certificates are wrong. */
export function isClockOff(behindSeconds: number | undefined): boolean {
  return behindSeconds !== undefined && Math.abs(behindSeconds) > clockOffSeconds;
}

function batchNote(facts: SensorFacts): string {
  const { lastBatchAgoMs, listenedMs = 0, usualGapMs } = facts;
  if (lastBatchAgoMs === undefined) return `no batch kept since ${start(facts)}`;
  const pausedMs = lastBatchAgoMs - listenedMs;
  const pause =
    pausedMs < noticeablePauseMs ? "" : `, ${inWholeSeconds(pausedMs)} of it without Loom running`;
  return `last batch ${ago(lastBatchAgoMs)}${pause}, ${gapNote(usualGapMs)}`;
}

/** The note on a sensor that is not overdue. After a restart, its last batch may still be long ago. */
function waitNote({ lastBatchAgoMs = 0, startedAgoMs, usualGapMs }: SensorFacts): string {
  const gap = gapNote(usualGapMs);
  return lastBatchAgoMs > startedAgoMs
    ? `no batch since Loom was restarted ${ago(startedAgoMs)}, ${gap}`
    : gap;
}

function start({ startedAgoMs, firstStartedAgoMs }: SensorFacts): string {
  return firstStartedAgoMs === startedAgoMs
    ? "Loom started"
    : `Loom was first started ${ago(firstStartedAgoMs)}`;
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
