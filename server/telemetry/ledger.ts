/**
 * Counts what happened to the batches and events of one sensor; `/metrics` and the dashboard read the same numbers.
 * For every sensor received = kept + refused, both in batches and in the events of batches that were scanned.
 */
export interface SensorLedger {
  readonly requestsByStatus: Map<number, number>;
  readonly refusedBatches: Map<string, number>;
  /** Events of batches that were refused after they were scanned. */
  readonly refusedEvents: Map<string, number>;
  keptEvents: number;
  /** Bytes of request bodies as received, including those of refused requests. */
  bodyBytes: number;
}

export { unknownSensorId } from "../config/sensors.ts";

export class Ledger {
  readonly sensors = new Map<string, SensorLedger>();

  /** Must only be called for configured ids and `unknownSensorId`: an entry is never removed. */
  sensor(sensorId: string): SensorLedger {
    let entry = this.sensors.get(sensorId);
    if (!entry) {
      entry = {
        requestsByStatus: new Map(),
        refusedBatches: new Map(),
        refusedEvents: new Map(),
        keptEvents: 0,
        bodyBytes: 0,
      };
      this.sensors.set(sensorId, entry);
    }
    return entry;
  }
}

/** Adds to the count of one key. */
export function add<Key>(counts: Map<Key, number>, key: Key, amount = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}

/** The number of events kept, of all sensors. */
export function keptEvents(ledger: Ledger): number {
  let events = 0;
  for (const sensor of ledger.sensors.values()) events += sensor.keptEvents;
  return events;
}

/** The number of refused requests, including those without a known sensor. */
export function refusedRequests(ledger: Ledger): number {
  let requests = 0;
  for (const sensor of ledger.sensors.values())
    for (const count of sensor.refusedBatches.values()) requests += count;
  return requests;
}

/** The number of refused requests by reason, including those without a known sensor. */
export function refusedByReason(ledger: Ledger): Map<string, number> {
  const counts = new Map<string, number>();
  for (const sensor of ledger.sensors.values())
    for (const [reason, count] of sensor.refusedBatches) add(counts, reason, count);
  return counts;
}
