import type { SensorAnswer, SensorState } from "../../server/management/api/answers.ts";

export const sensorColumns = {
  id: { name: "Sensor", value: (sensor: SensorAnswer) => sensor.id },
  state: { name: "State", value: (sensor: SensorAnswer) => stateOrder[sensor.state] },
  last: { name: "Last batch", value: (sensor: SensorAnswer) => -(sensor.lastBatchAt ?? 0) },
  minute: { name: "1 min", value: (sensor: SensorAnswer) => -sensor.perSecond.minute },
  fiveMinutes: { name: "5 min", value: (sensor: SensorAnswer) => -sensor.perSecond.fiveMinutes },
  hour: { name: "1 h", value: (sensor: SensorAnswer) => -sensor.perSecond.hour },
  events: { name: "Events", value: (sensor: SensorAnswer) => -sensor.keptEvents },
  refused: { name: "Refused", value: (sensor: SensorAnswer) => -refusedOf(sensor) },
} as const;

export type SensorColumn = keyof typeof sensorColumns;

export interface SensorSort {
  readonly column: SensorColumn;
  readonly isReversed: boolean;
}

/** What wants attention first. */
const stateOrder: Readonly<Record<SensorState, number>> = {
  refused: 0,
  rate_limited: 1,
  quiet: 2,
  reporting: 3,
  never_seen: 4,
};

/** Requests of a sensor that were refused, for whatever reason, and those that only called themselves so. */
export function refusedOf({ refusedRequests, claimedRefusals }: SensorAnswer): number {
  return Object.values(refusedRequests).reduce((sum, count) => sum + count, claimedRefusals);
}

/** The sensors whose id or note has the text, in a state if one is asked for, in the order asked for. */
export function selectSensors(
  sensors: readonly SensorAnswer[],
  { text, state, sort }: { text: string; state: string | undefined; sort: SensorSort },
): SensorAnswer[] {
  const wanted = text.trim().toLowerCase();
  const { value } = sensorColumns[sort.column];
  const direction = sort.isReversed ? -1 : 1;
  return sensors
    .filter((sensor) => state === undefined || sensor.state === state)
    .filter(({ id, note }) => wanted === "" || `${id} ${note}`.toLowerCase().includes(wanted))
    .sort((a, b) => direction * compare(value(a), value(b)) || compare(a.id, b.id));
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "string" && typeof b === "string") return a.localeCompare(b, "en", { numeric: true });
  return Number(a) - Number(b);
}
