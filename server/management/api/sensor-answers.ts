import { type HistoryClock, systemHistoryClock } from "../../monitoring/history/counter-history.ts";
import type { History } from "../../monitoring/history/history.ts";
import type { LastRefusal, RefusalRecords } from "../../monitoring/refusals/refusal-records.ts";
import type { SensorActivity } from "../../monitoring/sensors/sensor-activity.ts";
import { stateOfSensor } from "../../monitoring/sensors/sensor-state.ts";
import { type Ledger, unknownSensorId } from "../../telemetry/ledger.ts";
import type { SensorAnswer, SensorDetailAnswer, SensorState } from "./answers.ts";
import { refusalAnswer } from "./refusals.ts";

export interface SensorAnswersOptions {
  /** As configured at the moment. */
  readonly sensorIds: () => readonly string[];
  readonly quietAfterSeconds: number;
  readonly ledger: Ledger;
  readonly history: Pick<History, "sensor">;
  readonly activity: SensorActivity;
  readonly refusals: RefusalRecords;
  readonly clock?: HistoryClock;
}

/** What the API tells of sensors: of every configured one, and of those that were and sent something. */
export interface SensorAnswers {
  all(): SensorAnswer[];
  /** undefined: there is no such sensor. */
  detail(sensorId: string): SensorDetailAnswer | undefined;
  countsByState(): Record<SensorState, number>;
}

const minuteMs = 60_000;

export function createSensorAnswers(options: SensorAnswersOptions): SensorAnswers {
  const { sensorIds, ledger, history, activity, refusals, clock = systemHistoryClock } = options;
  const quietAfterMs = options.quietAfterSeconds * 1000;
  const startedAt = clock.monotonic();

  /** The ids, with whether they are configured. */
  function known(): Map<string, boolean> {
    const ids = new Map(sensorIds().map((sensorId) => [sensorId, true]));
    for (const sensorId of ledger.sensors.keys())
      if (sensorId !== unknownSensorId && !ids.has(sensorId)) ids.set(sensorId, false);
    return ids;
  }

  function stateOf(sensorId: string) {
    const now = clock.monotonic();
    const times = activity.timesOf(sensorId);
    const { lastOwn, lastUnauthorizedClaim } = refusals.of(sensorId);
    const fact = (refusal: LastRefusal | undefined) =>
      refusal && { reason: refusal.reason, agoMs: now - refusal.monotonicAt };
    return stateOfSensor(
      {
        sensorId,
        sinceStartMs: now - startedAt,
        lastBatchAgoMs: times && now - times.lastBatchMonotonicAt,
        usualGapMs: times?.usualGapMs,
        gapCount: times?.gapCount ?? 0,
        lastRefusal: fact(lastOwn),
        lastUnauthorizedClaim: fact(lastUnauthorizedClaim),
      },
      quietAfterMs,
    );
  }

  function answerOf(sensorId: string, isConfigured: boolean): SensorAnswer {
    const account = ledger.sensors.get(sensorId);
    const times = activity.timesOf(sensorId);
    const kept = history.sensor(sensorId);
    const perSecond = (windowMs: number) => Math.round(kept.perSecond(windowMs) * 1000) / 1000;
    return {
      id: sensorId,
      ...stateOf(sensorId),
      isConfigured,
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
      bodyBytes: account?.bodyBytes ?? 0,
      refusedRequests: Object.fromEntries(account?.refusedBatches ?? []),
      lastRefusal: lastRefusalOf(sensorId),
      claimedRefusals: refusals.of(sensorId).unauthorizedClaims,
      clockBehindSeconds: times?.clockBehindSeconds ?? null,
    };
  }

  function lastRefusalOf(sensorId: string): SensorAnswer["lastRefusal"] {
    const { lastOwn, lastClaimed } = refusals.of(sensorId);
    const isOnlyClaimed = (lastClaimed?.monotonicAt ?? 0) > (lastOwn?.monotonicAt ?? 0);
    const last = isOnlyClaimed ? lastClaimed : lastOwn;
    return last ? { reason: last.reason, at: last.at, isOnlyClaimed } : null;
  }

  return {
    all: () => Array.from(known(), ([sensorId, isConfigured]) => answerOf(sensorId, isConfigured)),

    detail(sensorId) {
      const isConfigured = known().get(sensorId);
      if (isConfigured === undefined) return undefined;
      return {
        now: clock.now(),
        sensor: answerOf(sensorId, isConfigured),
        history: history.sensor(sensorId).lastDay(),
        top: activity.topOf(sensorId),
        refusals: refusals.groupsOf(sensorId).map(refusalAnswer),
      };
    },

    countsByState() {
      const counts = { never_seen: 0, reporting: 0, quiet: 0, refused: 0, rate_limited: 0 };
      for (const sensorId of known().keys()) counts[stateOf(sensorId).state]++;
      return counts;
    },
  };
}
