import type { Chronicle } from "../../monitoring/history/chronicle.ts";
import type { History } from "../../monitoring/history/history.ts";
import type { LastRefusal, RefusalRecords } from "../../monitoring/refusals/refusal-records.ts";
import type { Loss } from "../../monitoring/sensors/loss-window.ts";
import { lossWords } from "../../monitoring/sensors/loss-words.ts";
import type { SensorActivity } from "../../monitoring/sensors/sensor-activity.ts";
import type { SensorLoss } from "../../monitoring/sensors/sensor-loss.ts";
import type { BatchTimes } from "../../monitoring/sensors/sensor-record.ts";
import { isClockOff, type SensorFacts, stateOfSensor } from "../../monitoring/sensors/sensor-state.ts";
import type { SensorTotals } from "../../monitoring/sensors/sensor-totals.ts";
import { type Ledger, unknownSensorId } from "../../telemetry/ledger.ts";
import type { FleetAnswer, LossAnswer, SensorAnswer, SensorDetailAnswer } from "./answers.ts";
import { fleetOf, type SensorHealth } from "./fleet.ts";
import { refusalAnswer } from "./refusals.ts";

export interface SensorAnswersOptions {
  /** The sensors that are configured at present. */
  readonly sensorIds: () => readonly string[];
  readonly quietAfterSeconds: number;
  readonly ledger: Ledger;
  readonly history: Pick<History, "sensor">;
  readonly activity: SensorActivity;
  readonly refusals: RefusalRecords;
  readonly loss: Pick<SensorLoss, "of">;
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

  /** The health of the configured sensors: one whose token was removed is expected to be silent. */
  fleet(): FleetAnswer {
    return fleetOf(this.#options.sensorIds().map((sensorId) => this.#healthOf(sensorId)));
  }

  /** The ids of all known sensors, each with whether it is configured. */
  #known(): Map<string, boolean> {
    const { sensorIds, ledger } = this.#options;
    const ids = new Map(sensorIds().map((sensorId) => [sensorId, true]));
    for (const sensorId of ledger.sensors.keys())
      if (sensorId !== unknownSensorId && !ids.has(sensorId)) ids.set(sensorId, false);
    return ids;
  }

  #healthOf(
    sensorId: string,
    times: BatchTimes | undefined = this.#options.activity.timesOf(sensorId),
  ): SensorHealth & Pick<SensorAnswer, "note"> {
    const facts = this.#factsOf(sensorId, times);
    return {
      id: sensorId,
      ...stateOfSensor(facts, this.#options.quietAfterSeconds * 1000),
      loss: facts.loss ? lossAnswer(facts.loss) : null,
      isClockOff: isClockOff(times?.clockBehindSeconds),
    };
  }

  #factsOf(sensorId: string, times: BatchTimes | undefined): SensorFacts {
    const { refusals, loss, chronicle } = this.#options;
    const now = chronicle.elapsedMs;
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
      loss: loss.of(sensorId),
      lastRefusal: fact(lastOwn),
      lastUnauthorizedClaim: fact(lastUnauthorizedClaim),
    };
  }

  #answerOf(sensorId: string, isConfigured: boolean): SensorAnswer {
    const { history, activity, refusals, totals } = this.#options;
    const claims = refusals.of(sensorId);
    const times = activity.timesOf(sensorId);
    const kept = history.sensor(sensorId);
    const perSecond = (windowMs: number) => Math.round(kept.perSecond(windowMs) * 1000) / 1000;
    return {
      ...this.#healthOf(sensorId, times),
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
      ...totals.sinceStartOf(sensorId),
      totals: totals.of(sensorId),
      lastRefusal: this.#lastRefusalOf(sensorId),
      claimedRefusals: claims.unauthorizedClaims,
      claimedEvents: claims.claimedEvents,
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

function lossAnswer(loss: Loss): LossAnswer {
  const { share, refusedEvents, keptEvents, refusedRequests, keptRequests, isEstimate, reason } = loss;
  return {
    words: lossWords(loss),
    ...{ share, refusedEvents, keptEvents, refusedRequests, keptRequests, isEstimate, reason },
  };
}
