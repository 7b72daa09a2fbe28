import type { IgnoreRuleConfig } from "../config/config.ts";

/**
 * Counts what happened to the batches and events of one sensor; `/metrics` and the dashboard read the same numbers.
 * For every sensor received = kept + refused in batches, and received = kept + refused + ignored in the events of batches
 * that were scanned.
 */
export interface SensorLedger {
  readonly requestsByStatus: Map<number, number>;
  readonly refusedBatches: Map<string, number>;
  /** Events of batches that were refused after they were scanned. */
  readonly refusedEvents: Map<string, number>;
  /** Estimated numbers of events in requests that were refused before that. No sum above includes them. */
  readonly estimatedRefusedEvents: Map<string, number>;
  keptEvents: number;
  /** Events that an `[[ignore]]` rule removed from batches that were kept otherwise. */
  ignoredEvents: number;
  /** Bytes of request bodies as received, including those of refused requests. */
  bodyBytes: number;
}

/**
 * Counts the events that match one `[[ignore]]` rule, in batches that were kept. With the action "drop" they are ignored,
 * so that the sum of these tallies is the sum of the ignored events of all sensors. With "tag" they are kept.
 */
export interface RuleTally {
  readonly rule: string;
  readonly action: IgnoreRuleConfig["action"];
  events: number;
}

/** The events of one batch that match a rule. */
export interface RuleMatches {
  readonly tally: RuleTally;
  readonly events: number;
}

export { unknownSensorId } from "../config/sensors.ts";

export class Ledger {
  readonly sensors = new Map<string, SensorLedger>();
  readonly #rules = new Map<string, RuleTally>();

  /** The rules of this configuration and of those before a reload. */
  get rules(): Iterable<Readonly<RuleTally>> {
    return this.#rules.values();
  }

  /** Must only be called for configured ids and `unknownSensorId`: an entry is never removed. */
  sensor(sensorId: string): SensorLedger {
    let entry = this.sensors.get(sensorId);
    if (!entry) {
      entry = {
        requestsByStatus: new Map(),
        refusedBatches: new Map(),
        refusedEvents: new Map(),
        estimatedRefusedEvents: new Map(),
        keptEvents: 0,
        ignoredEvents: 0,
        bodyBytes: 0,
      };
      this.sensors.set(sensorId, entry);
    }
    return entry;
  }

  /** Must only be called for rules of the configuration: an entry is never removed, so that a reload resets no count. */
  rule(rule: string, action: RuleTally["action"]): RuleTally {
    const key = `${action} ${rule}`;
    let tally = this.#rules.get(key);
    if (!tally) {
      tally = { rule, action, events: 0 };
      this.#rules.set(key, tally);
    }
    return tally;
  }
}

/** Counts the events of a batch that is kept now. @param keptEvents without those that rules removed */
export function addKept(sensor: SensorLedger, keptEvents: number, matches: readonly RuleMatches[]): void {
  sensor.keptEvents += keptEvents;
  for (const { tally, events } of matches) {
    tally.events += events;
    if (tally.action === "drop") sensor.ignoredEvents += events;
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
