import { signal } from "@preact/signals";
import type { RefusedCountAnswer, SensorAnswer, SensorState } from "../../server/management/api/answers.ts";

export const sensorColumns = {
  id: { name: "Sensor", value: (sensor: SensorAnswer) => sensor.id },
  state: { name: "State", value: (sensor: SensorAnswer) => stateOrder[sensor.state] },
  last: { name: "Last batch", value: (sensor: SensorAnswer) => -(sensor.lastBatchAt ?? 0) },
  minute: { name: "1 min", value: (sensor: SensorAnswer) => -sensor.perSecond.minute },
  fiveMinutes: { name: "5 min", value: (sensor: SensorAnswer) => -sensor.perSecond.fiveMinutes },
  hour: { name: "1 h", value: (sensor: SensorAnswer) => -sensor.perSecond.hour },
  events: { name: "Events", value: (sensor: SensorAnswer) => -sensor.totals.keptEvents },
  refused: { name: "Refused", value: (sensor: SensorAnswer) => -refusedOf(sensor).events },
  clock: { name: "Clock", value: (sensor: SensorAnswer) => -Math.abs(sensor.clockBehindSeconds ?? 0) },
} as const;

export type SensorColumn = keyof typeof sensorColumns;

export interface SensorSort {
  readonly column: SensorColumn;
  readonly isReversed: boolean;
}

/** The direction in which the values of a sorted column are ordered. */
export function sortDirection({ column, isReversed }: SensorSort): "ascending" | "descending" {
  // Names and states are sorted upwards at first, times and numbers downwards.
  const isUpwards = column === "id" || column === "state";
  return isUpwards === isReversed ? "descending" : "ascending";
}

/** Rows that are drawn at first; more are drawn when the reader comes near the end. */
export const rowsAtFirst = 100;

/** States that need attention come first. */
const stateOrder: Readonly<Record<SensorState, number>> = {
  refused: 0,
  losing: 1,
  silent: 2,
  quiet: 3,
  reporting: 4,
  never_seen: 5,
};

/** Which sensors are shown: those in a state, or those with a wrong clock. */
export type SensorCondition = SensorState | "clock_off";

/** The table of sensors: search, order, and how many rows are drawn. */
export class SensorsTable {
  readonly text = signal("");
  readonly sort = signal<SensorSort>({ column: "state", isReversed: false });
  readonly maxRows = signal(rowsAtFirst);
  /** By id, the sensor of the latest answer that differed, and its JSON. */
  #latest = new Map<string, { readonly json: string; readonly sensor: SensorAnswer }>();

  search(text: string): void {
    this.text.value = text;
    this.maxRows.value = rowsAtFirst;
  }

  /** Sorts by a column; the column that is sorted by already is reversed. */
  sortBy(column: SensorColumn): void {
    const { column: current, isReversed } = this.sort.peek();
    this.sort.value = { column, isReversed: column === current && !isReversed };
    this.maxRows.value = rowsAtFirst;
  }

  showMore(): void {
    this.maxRows.value += 2 * rowsAtFirst;
  }

  /** The sensors of an answer that match the search and the condition, in order. */
  select(sensors: readonly SensorAnswer[], condition: SensorCondition | undefined): SensorAnswer[] {
    return selectSensors(this.#unchanged(sensors), {
      text: this.text.value,
      condition,
      sort: this.sort.value,
    });
  }

  /** Replaces a sensor that is equal to the one of an earlier answer by that object, so that its row is not redrawn. */
  #unchanged(sensors: readonly SensorAnswer[]): SensorAnswer[] {
    const latest = new Map<string, { readonly json: string; readonly sensor: SensorAnswer }>();
    for (const sensor of sensors) {
      const before = this.#latest.get(sensor.id);
      const json = before?.sensor === sensor ? before.json : JSON.stringify(sensor);
      latest.set(sensor.id, before?.json === json ? before : { json, sensor });
    }
    this.#latest = latest;
    return Array.from(latest.values(), ({ sensor }) => sensor);
  }
}

/** What was refused: requests with the sensor's token, and those that only claimed its id. */
export function refusedOf({ totals, claimedRefusals, claimedEvents }: SensorAnswer): RefusedCountAnswer {
  const sumOf = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((sum, count) => sum + count, 0);
  return {
    requests: sumOf(totals.refusedRequests) + claimedRefusals,
    events: sumOf(totals.refusedEvents) + claimedEvents,
    isEstimate: totals.isRefusedEstimate || claimedEvents > 0,
  };
}

export interface SensorSelection {
  /** Searched for in the id and the note, without regard to case. */
  readonly text: string;
  readonly condition: SensorCondition | undefined;
  readonly sort: SensorSort;
}

/** The sensors that match a selection, in its order. */
export function selectSensors(
  sensors: readonly SensorAnswer[],
  { text, condition, sort }: SensorSelection,
): SensorAnswer[] {
  const wanted = text.trim().toLowerCase();
  const { value } = sensorColumns[sort.column];
  const direction = sort.isReversed ? -1 : 1;
  return sensors
    .filter((sensor) => condition === undefined || meets(sensor, condition))
    .filter(({ id, note }) => wanted === "" || `${id} ${note}`.toLowerCase().includes(wanted))
    .sort((a, b) => direction * compare(value(a), value(b)) || compare(a.id, b.id));
}

function meets(sensor: SensorAnswer, condition: SensorCondition): boolean {
  return condition === "clock_off" ? sensor.isClockOff : sensor.state === condition;
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "string" && typeof b === "string") return a.localeCompare(b, "en", { numeric: true });
  return Number(a) - Number(b);
}
