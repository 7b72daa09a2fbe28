/**
 * What happened to every batch and event, in plain numbers; `/metrics` and the dashboard read the same ones.
 * For every sensor, in batches and in the events of batches that were scanned: received = kept + refused.
 */
export interface SensorLedger {
  readonly requestsByStatus: Map<number, number>;
  readonly refusedBatches: Map<string, number>;
  /** Only of batches whose events were counted before the refusal. */
  readonly refusedEvents: Map<string, number>;
  keptEvents: number;
  /** Bodies as received, refused ones included. */
  bodyBytes: number;
  /** Milliseconds since the epoch; undefined: none yet. */
  lastKeptAt: number | undefined;
}

/** The sensor of a request that did not say who it is, or said so wrongly. */
export const unknownSensorId = "unknown";

export class Ledger {
  readonly sensors = new Map<string, SensorLedger>();

  /** Only for ids from the configuration and `unknownSensorId`: a sensor's entry stays for good. */
  sensor(sensorId: string): SensorLedger {
    let entry = this.sensors.get(sensorId);
    if (!entry) {
      entry = {
        requestsByStatus: new Map(),
        refusedBatches: new Map(),
        refusedEvents: new Map(),
        keptEvents: 0,
        bodyBytes: 0,
        lastKeptAt: undefined,
      };
      this.sensors.set(sensorId, entry);
    }
    return entry;
  }
}

/** Adds to one number of a ledger that has one a key. */
export function add<Key>(counts: Map<Key, number>, key: Key, amount = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}

/** Events kept, of all sensors. */
export function keptEvents(ledger: Ledger): number {
  let events = 0;
  for (const sensor of ledger.sensors.values()) events += sensor.keptEvents;
  return events;
}

/** Requests refused, of everybody. */
export function refusedRequests(ledger: Ledger): number {
  let requests = 0;
  for (const sensor of ledger.sensors.values())
    for (const count of sensor.refusedBatches.values()) requests += count;
  return requests;
}

/** Requests refused, of everybody, by reason. */
export function refusedByReason(ledger: Ledger): Map<string, number> {
  const counts = new Map<string, number>();
  for (const sensor of ledger.sensors.values())
    for (const [reason, count] of sensor.refusedBatches) add(counts, reason, count);
  return counts;
}
