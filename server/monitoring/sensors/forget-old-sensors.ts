import type { Chronicle } from "../history/chronicle.ts";
import type { RefusalRecords } from "../refusals/refusal-records.ts";
import type { SensorActivity } from "./sensor-activity.ts";
import type { SensorTotals } from "./sensor-totals.ts";

/** What is saved of a sensor that is no longer configured is forgotten this long after its last batch. */
const forgottenAfterMs = 30 * 86_400_000;

export interface SensorRecords {
  readonly chronicle: Chronicle;
  readonly refusals: Pick<RefusalRecords, "sensorIds" | "forget">;
  readonly activity: Pick<SensorActivity, "sensorIds" | "timesOf" | "forget">;
  readonly totals: Pick<SensorTotals, "sensorIds" | "forget">;
  /** The sensors that are configured. */
  readonly sensorIds: readonly string[];
}

/**
 * Forgets the sensors that were removed from the configuration, so that the state does not grow with every sensor there ever
 * was. Until then, a sensor that is configured again continues with what is known of it. To be called at the start.
 */
export function forgetOldSensors(records: SensorRecords): void {
  const { chronicle, refusals, activity, totals } = records;
  const configured = new Set(records.sensorIds);
  for (const sensorId of new Set([...activity.sensorIds(), ...totals.sensorIds(), ...refusals.sensorIds()])) {
    const times = activity.timesOf(sensorId);
    const silentMs = chronicle.elapsedMs - (times?.lastBatchMs ?? Number.NEGATIVE_INFINITY);
    if (configured.has(sensorId) || silentMs < forgottenAfterMs) continue;
    refusals.forget(sensorId);
    activity.forget(sensorId);
    totals.forget(sensorId);
  }
}
