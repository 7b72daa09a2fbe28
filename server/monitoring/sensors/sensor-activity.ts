import { type HistoryClock, systemHistoryClock } from "../history/counter-history.ts";
import type { TopList } from "../rollups/top-list.ts";
import type { SampledEvent } from "../sampling/sampled-event.ts";
import type { CompactCounts } from "./compact-counts.ts";
import { type BatchTimes, SensorRecord } from "./sensor-record.ts";
import { countryCode, countryNumber, SensorTop } from "./sensor-top.ts";

/** The counts of a sensor cover this generation and the one before: the last 12 to 24 hours. */
const generationMs = 12 * 3_600_000;
/** The most names of networks, and of countries, of all sensors together. */
const maxNames = 8192;

export interface SensorTopLists {
  /** Milliseconds since the epoch. */
  readonly sinceAt: number;
  readonly ports: TopList;
  readonly countries: TopList;
  readonly networks: TopList;
}

/**
 * The activity of each sensor: when its batches arrive, what its events are about, and how far its clock is off. It takes
 * about 3 KB for each sensor. Times between batches are measured by the monotonic clock.
 */
export class SensorActivity {
  readonly #clock: HistoryClock;
  readonly #startedAt: number;
  readonly #records = new Map<string, SensorRecord>();
  readonly #networkNames = new Names();
  readonly #countryNames = new Names();

  constructor(clock: HistoryClock = systemHistoryClock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /**
   * Is called for each kept batch, also for an empty one. Only for sensors of the configuration, because their records are
   * never removed.
   * @param receivedAt milliseconds since the epoch
   */
  noteBatch(sensorId: string, receivedAt: number): void {
    this.#recordOf(sensorId).noteBatch(receivedAt, this.#clock.monotonic());
  }

  noteEvent({ sensorId, receivedAt, fields }: SampledEvent): void {
    const record = this.#recordOf(sensorId);
    record.topAt(this.#generation()).add(fields);
    if (fields.timestampMs !== undefined)
      record.noteOffset(receivedAt - fields.timestampMs, this.#elapsedMs());
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
    const firstMs = Math.max(0, generation - 1) * generationMs;
    return {
      sinceAt: Math.round(this.#clock.now() - (this.#elapsedMs() - firstMs)),
      ports: topList(top.ports, String, () => null),
      countries: topList(top.countries, countryCode, (number) => this.#countryNames.of(number)),
      networks: topList(top.networks, String, (number) => this.#networkNames.of(number)),
    };
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
    return Math.floor(this.#elapsedMs() / generationMs);
  }

  #elapsedMs(): number {
    return this.#clock.monotonic() - this.#startedAt;
  }
}

/** The names of numbers. When there are too many, the one that was learned first is evicted. */
class Names {
  readonly #names = new Map<number, string>();

  learn(number: number | undefined, name: string | undefined): void {
    if (number === undefined || name === undefined || this.#names.has(number)) return;
    if (this.#names.size >= maxNames) {
      const [first] = this.#names.keys();
      if (first !== undefined) this.#names.delete(first);
    }
    this.#names.set(number, name);
  }

  of(number: number): string | null {
    return this.#names.get(number) ?? null;
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
