import { Chronicle } from "../history/chronicle.ts";
import type { TopList } from "../rollups/top-list.ts";
import type { SampledEvent } from "../sampling/sampled-event.ts";
import type { Change, SavedEntries } from "../saved-state/saved-entries.ts";
import type { CompactCounts } from "./compact-counts.ts";
import { SensorNames } from "./sensor-names.ts";
import { type BatchTimes, type SavedGenerations, type SavedTimes, SensorRecord } from "./sensor-record.ts";
import { countryCode, countryNumber, SensorTop } from "./sensor-top.ts";

/** The counts of a sensor cover this generation and the one before: the last 12 to 24 hours. */
const generationMs = 12 * 3_600_000;

const timesKind = "sensor times";
const countsKind = "sensor counts";

export interface SensorTopLists {
  /** Milliseconds since the epoch. */
  readonly sinceAt: number;
  readonly ports: TopList;
  readonly countries: TopList;
  readonly networks: TopList;
}

/**
 * The activity of each sensor: when its batches arrive, what its events are about, and how far its clock is off. It takes
 * about 3 KB for each sensor.
 */
export class SensorActivity {
  readonly #chronicle: Chronicle;
  readonly #records = new Map<string, SensorRecord>();
  readonly #forgotten: string[] = [];
  readonly #networkNames: SensorNames;
  readonly #countryNames: SensorNames;

  constructor(chronicle = new Chronicle(), saved?: SavedEntries) {
    this.#chronicle = chronicle;
    this.#networkNames = new SensorNames("network names", saved);
    this.#countryNames = new SensorNames("country names", saved);
    saved?.each(timesKind, (times, sensorId) => this.#recordOf(sensorId).restoreTimes(times as SavedTimes));
    saved?.each(countsKind, (counts, sensorId) =>
      this.#recordOf(sensorId).restoreCounts(counts as SavedGenerations),
    );
  }

  /**
   * Is called for each kept batch, also for an empty one. Only for sensors of the configuration, because their records are
   * never removed.
   * @param receivedAt milliseconds since the epoch
   */
  noteBatch(sensorId: string, receivedAt: number): void {
    const record = this.#recordOf(sensorId);
    const isAfterStart = record.lastBatchMs < this.#chronicle.startedMs;
    record.noteBatch(receivedAt, this.#chronicle.elapsedMs, isAfterStart);
  }

  noteEvent({ sensorId, receivedAt, fields }: SampledEvent): void {
    const record = this.#recordOf(sensorId);
    record.topAt(this.#generation()).add(fields);
    record.hasNewCounts = true;
    if (fields.timestampMs !== undefined)
      record.noteOffset(receivedAt - fields.timestampMs, this.#chronicle.elapsedMs);
    this.#networkNames.learn(fields.asNumber, fields.asOrganizationName);
    this.#countryNames.learn(countryNumber(fields.countryIsoCode), fields.countryName);
  }

  /** @returns undefined if no batch was kept */
  timesOf(sensorId: string): BatchTimes | undefined {
    return this.#records.get(sensorId)?.times();
  }

  topOf(sensorId: string): SensorTopLists {
    const generation = this.#generation();
    const top = this.#records.get(sensorId)?.topOver(generation) ?? new SensorTop();
    const sinceMs = Math.max(this.#chronicle.firstMs, (generation - 1) * generationMs);
    return {
      sinceAt: this.#chronicle.timeOf(sinceMs),
      ports: topList(top.ports, String, () => null),
      countries: topList(top.countries, countryCode, (number) => this.#countryNames.of(number)),
      networks: topList(top.networks, String, (number) => this.#networkNames.of(number)),
    };
  }

  /** The sensors of which something is recorded. */
  sensorIds(): string[] {
    return [...this.#records.keys()];
  }

  /** Forgets a sensor that is no longer configured. */
  forget(sensorId: string): void {
    this.#records.delete(sensorId);
    this.#forgotten.push(sensorId);
  }

  /** See SavedPart: when batches arrived. */
  *timeChanges(): Iterable<Change> {
    for (const key of this.#forgotten.splice(0))
      for (const kind of [timesKind, countsKind]) yield { kind, key, value: undefined };
    for (const [key, record] of this.#records)
      if (record.hasNewTimes) yield { kind: timesKind, key, value: record.saveTimes() };
  }

  /** See SavedPart: what the events were about. */
  *countChanges(): Iterable<Change> {
    yield* this.#networkNames.changes();
    yield* this.#countryNames.changes();
    for (const [key, record] of this.#records)
      if (record.hasNewCounts) yield { kind: countsKind, key, value: record.saveCounts() };
  }

  #recordOf(sensorId: string): SensorRecord {
    let record = this.#records.get(sensorId);
    if (!record) {
      record = new SensorRecord();
      this.#records.set(sensorId, record);
    }
    return record;
  }

  #generation(): number {
    return Math.floor(this.#chronicle.elapsedMs / generationMs);
  }
}

function topList(
  counts: CompactCounts,
  keyOf: (number: number) => string,
  labelOf: (number: number) => string | null,
): TopList {
  const entries = counts
    .held()
    .map(({ number, count }) => ({ key: keyOf(number), label: labelOf(number), count }));
  return { entries, other: counts.other, none: counts.none };
}
