import { add, type Ledger, type SensorLedger, unknownSensorId } from "../../telemetry/ledger.ts";
import type { Change, SavedEntries } from "../saved-state/saved-entries.ts";

export interface TotalCounts {
  readonly keptEvents: number;
  readonly keptBatches: number;
  /** Events that `[[ignore]]` rules removed. */
  readonly ignoredEvents: number;
  readonly bodyBytes: number;
  /** By reason. */
  readonly refusedRequests: Readonly<Record<string, number>>;
  /** The events of these requests, estimated where they were not counted. */
  readonly refusedEvents: Readonly<Record<string, number>>;
  /** Whether `refusedEvents` has estimates. */
  readonly isRefusedEstimate: boolean;
}

const kind = "totals";
/** The entry with the totals of all sensors that are forgotten. No sensor has this id. */
const forgottenKey = "";

const nothing: TotalCounts = {
  keptEvents: 0,
  keptBatches: 0,
  ignoredEvents: 0,
  bodyBytes: 0,
  refusedRequests: {},
  refusedEvents: {},
  isRefusedEstimate: false,
};

/** The counts of the ledger, added to those that were saved before this start. */
export class SensorTotals {
  readonly #ledger: Ledger;
  readonly #before = new Map<string, TotalCounts>();
  /** By sensor, the number of requests up to which the totals are saved. */
  readonly #savedRequests = new Map<string, number>();
  readonly #changedBefore = new Set<string>();

  constructor(ledger: Ledger, saved?: SavedEntries) {
    this.#ledger = ledger;
    saved?.each(kind, (totals, sensorId) =>
      // The totals that an older version saved have no events of refused requests.
      this.#before.set(sensorId, { ...nothing, ...(totals as Partial<TotalCounts>) }),
    );
  }

  of(sensorId: string): TotalCounts {
    const before = this.#before.get(sensorId);
    const sinceStart = this.sinceStartOf(sensorId);
    return before ? sumOf(before, sinceStart) : sinceStart;
  }

  /** The counts since this start. */
  sinceStartOf(sensorId: string): TotalCounts {
    const account = this.#ledger.sensors.get(sensorId);
    return account ? countsOf(account) : nothing;
  }

  /** The events kept from all sensors, those that are forgotten included. */
  keptEvents(): number {
    return this.#all().reduce((sum, { keptEvents }) => sum + keptEvents, 0);
  }

  refusedRequests(): number {
    return this.#all().reduce((sum, totals) => sum + sumOfValues(totals.refusedRequests), 0);
  }

  refusedByReason(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { refusedRequests } of this.#all())
      for (const [reason, count] of Object.entries(refusedRequests)) add(counts, reason, count);
    return counts;
  }

  /** The sensors with saved counts, apart from those without a known sensor. */
  sensorIds(): string[] {
    return [...this.#before.keys()].filter((id) => id !== forgottenKey && id !== unknownSensorId);
  }

  /** Adds the saved counts of a sensor that is no longer configured to those of all forgotten ones. */
  forget(sensorId: string): void {
    const before = this.#before.get(sensorId);
    if (!before) return;
    this.#before.delete(sensorId);
    this.#before.set(forgottenKey, sumOf(this.#before.get(forgottenKey) ?? nothing, before));
    this.#changedBefore.add(sensorId).add(forgottenKey);
  }

  /** See SavedPart. */
  *changes(): Iterable<Change> {
    for (const key of this.#changedBefore) yield { kind, key, value: this.#before.get(key) };
    this.#changedBefore.clear();
    for (const sensorId of this.#ledger.sensors.keys()) {
      const totals = this.of(sensorId);
      const requests = totals.keptBatches + sumOfValues(totals.refusedRequests);
      if (this.#savedRequests.get(sensorId) === requests) continue;
      this.#savedRequests.set(sensorId, requests);
      yield { kind, key: sensorId, value: totals };
    }
  }

  #all(): TotalCounts[] {
    const ids = new Set([...this.#before.keys(), ...this.#ledger.sensors.keys()]);
    return Array.from(ids, (sensorId) => this.of(sensorId));
  }
}

function countsOf(account: SensorLedger): TotalCounts {
  return {
    keptEvents: account.keptEvents,
    keptBatches: account.requestsByStatus.get(204) ?? 0,
    ignoredEvents: account.ignoredEvents,
    bodyBytes: account.bodyBytes,
    refusedRequests: Object.fromEntries(account.refusedBatches),
    refusedEvents: sumsOf(
      Object.fromEntries(account.refusedEvents),
      Object.fromEntries(account.estimatedRefusedEvents),
    ),
    isRefusedEstimate: account.estimatedRefusedEvents.size > 0,
  };
}

function sumOf(a: TotalCounts, b: TotalCounts): TotalCounts {
  return {
    keptEvents: a.keptEvents + b.keptEvents,
    keptBatches: a.keptBatches + b.keptBatches,
    ignoredEvents: a.ignoredEvents + b.ignoredEvents,
    bodyBytes: a.bodyBytes + b.bodyBytes,
    refusedRequests: sumsOf(a.refusedRequests, b.refusedRequests),
    refusedEvents: sumsOf(a.refusedEvents, b.refusedEvents),
    isRefusedEstimate: a.isRefusedEstimate || b.isRefusedEstimate,
  };
}

type CountsByReason = Readonly<Record<string, number>>;

function sumsOf(a: CountsByReason, b: CountsByReason): CountsByReason {
  const sums = new Map(Object.entries(a));
  for (const [reason, count] of Object.entries(b)) add(sums, reason, count);
  return Object.fromEntries(sums);
}

function sumOfValues(counts: CountsByReason): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
