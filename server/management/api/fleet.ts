import type { FleetAnswer, SensorAnswer, SensorState } from "./answers.ts";

/** The parts of a sensor that a summary is made from. */
export type SensorHealth = Pick<SensorAnswer, "id" | "state" | "loss" | "isClockOff">;

const troubledStates: readonly SensorState[] = ["losing", "refused", "quiet", "silent"];

/** Sums up the health of all sensors. */
export function fleetOf(sensors: Iterable<SensorHealth>): FleetAnswer {
  const byState = { reporting: 0, losing: 0, quiet: 0, silent: 0, refused: 0, never_seen: 0 };
  let troubled = 0;
  let clocksOff = 0;
  let worst: SensorHealth | undefined;
  for (const sensor of sensors) {
    byState[sensor.state]++;
    if (sensor.isClockOff) clocksOff++;
    if (sensor.isClockOff || troubledStates.includes(sensor.state)) troubled++;
    if (sensor.state === "losing" && (sensor.loss?.share ?? 0) > (worst?.loss?.share ?? 0)) worst = sensor;
  }
  return {
    byState,
    troubled,
    clocksOff,
    worstLoss: worst?.loss ? { sensorId: worst.id, words: worst.loss.words } : null,
  };
}
