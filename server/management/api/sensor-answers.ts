import type { Chronicle } from "../../monitoring/history/chronicle.ts";
import type { History } from "../../monitoring/history/history.ts";
import type { LastRefusal, RefusalRecords } from "../../monitoring/refusals/refusal-records.ts";
import type { SensorActivity } from "../../monitoring/sensors/sensor-activity.ts";
import {
  type SensorFacts,
  type SensorJudgement,
  stateOfSensor,
} from "../../monitoring/sensors/sensor-state.ts";
import type { SensorTotals } from "../../monitoring/sensors/sensor-totals.ts";
import { type Ledger, unknownSensorId } from "../../telemetry/ledger.ts";
import type { SensorAnswer, SensorDetailAnswer, SensorState } from "./answers.ts";
import { refusalAnswer } from "./refusals.ts";

export interface SensorAnswersOptions {
  /** The sensors that are configured at present. */
  readonly sensorIds: () => readonly string[];
  readonly quietAfterSeconds: number;
  readonly ledger: Ledger;
  readonly history: Pick<History, "sensor">;
  readonly activity: SensorActivity;
  readonly refusals: RefusalRecords;
  readonly totals: SensorTotals;
  readonly chronicle: Chronicle;
}

const minuteMs = 60_000;

/** The API's answers about sensors: about all that are configured, and those that were configured and sent something. */
export class SensorAnswers {
  readonly #options: SensorAnswersOptions;

  constructor(options: SensorAnswersOptions) {
    this.#options = options;
  }

  /** When the totals of the sensors begin. */
  get countedSinceAt(): number {
    return this.#options.chronicle.firstAt;
  }

  all(): SensorAnswer[] {
    return Array.from(this.#known(), ([sensorId, isConfigured]) => this.#answerOf(sensorId, isConfigured));
  }

  /** @returns undefined if there is no such sensor */
  detail(sensorId: string): SensorDetailAnswer | undefined {
    const { history, activity, refusals, chronicle } = this.#options;
    const isConfigured = this.#known().get(sensorId);
    if (isConfigured === undefined) return undefined;
    const kept = history.sensor(sensorId);
    return {
      now: chronicle.clock.now(),
      countedSinceAt: this.countedSinceAt,
      sensor: this.#answerOf(sensorId, isConfigured),
      history: kept.lastDay(),
      month: kept.lastMonth(),
      year: kept.lastYear(),
      top: activity.topOf(sensorId),
      refusals: refusals.groupsOf(sensorId).map(refusalAnswer),
    };
  }

  countsByState(): Record<SensorState, number> {
    const counts = { never_seen: 0, reporting: 0, quiet: 0, refused: 0, rate_limited: 0 };
    for (const sensorId of this.#known().keys()) counts[this.#stateOf(sensorId).state]++;
    return counts;
  }

  /** The ids of all known sensors, each with whether it is configured. */
  #known(): Map<string, boolean> {
    const { sensorIds, ledger } = this.#options;
    const ids = new Map(sensorIds().map((sensorId) => [sensorId, true]));
    for (const sensorId of ledger.sensors.keys())
      if (sensorId !== unknownSensorId && !ids.has(sensorId)) ids.set(sensorId, false);
    return ids;
  }

  #stateOf(sensorId: string): SensorJudgement {
    return stateOfSensor(this.#factsOf(sensorId), this.#options.quietAfterSeconds * 1000);
  }

  #factsOf(sensorId: string): SensorFacts {
    const { activity, refusals, chronicle } = this.#options;
    const now = chronicle.elapsedMs;
    const times = activity.timesOf(sensorId);
    const { lastOwn, lastUnauthorizedClaim } = refusals.of(sensorId);
    const fact = (refusal: LastRefusal | undefined) =>
      refusal && { reason: refusal.reason, agoMs: now - refusal.atMs };
    return {
      lastBatchAgoMs: times && now - times.lastBatchMs,
      listenedMs: times && chronicle.runningMs(times.lastBatchMs, now),
      startedAgoMs: now - chronicle.startedMs,
      firstStartedAgoMs: now - chronicle.firstMs,
      usualGapMs: times?.usualGapMs,
      gapCount: times?.gapCount ?? 0,
      lastRefusal: fact(lastOwn),
      lastUnauthorizedClaim: fact(lastUnauthorizedClaim),
    };
  }

  #answerOf(sensorId: string, isConfigured: boolean): SensorAnswer {
    const { ledger, history, activity, refusals, totals } = this.#options;
    const account = ledger.sensors.get(sensorId);
    const times = activity.timesOf(sensorId);
    const kept = history.sensor(sensorId);
    const perSecond = (windowMs: number) => Math.round(kept.perSecond(windowMs) * 1000) / 1000;
    return {
      id: sensorId,
      ...this.#stateOf(sensorId),
      isConfigured,
      firstBatchAt: times?.firstBatchAt ?? null,
      lastBatchAt: times?.lastBatchAt ?? null,
      usualGapMs: times?.usualGapMs === undefined ? null : Math.round(times.usualGapMs),
      perSecond: {
        minute: perSecond(minuteMs),
        fiveMinutes: perSecond(5 * minuteMs),
        hour: perSecond(60 * minuteMs),
      },
      sparkline: kept.perMinute(),
      keptEvents: account?.keptEvents ?? 0,
      keptBatches: account?.requestsByStatus.get(204) ?? 0,
      ignoredEvents: account?.ignoredEvents ?? 0,
      bodyBytes: account?.bodyBytes ?? 0,
      refusedRequests: Object.fromEntries(account?.refusedBatches ?? []),
      totals: totals.of(sensorId),
      lastRefusal: this.#lastRefusalOf(sensorId),
      claimedRefusals: refusals.of(sensorId).unauthorizedClaims,
      clockBehindSeconds: times?.clockBehindSeconds ?? null,
    };
  }

  #lastRefusalOf(sensorId: string): SensorAnswer["lastRefusal"] {
    const { lastOwn, lastClaimed } = this.#options.refusals.of(sensorId);
    const isOnlyClaimed = (lastClaimed?.atMs ?? -1) > (lastOwn?.atMs ?? -1);
    const last = isOnlyClaimed ? lastClaimed : lastOwn;
    return last ? { reason: last.reason, at: last.at, isOnlyClaimed } : null;
  }
}
