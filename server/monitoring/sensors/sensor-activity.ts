import { type HistoryClock, systemHistoryClock } from "../history/counter-history.ts";
import type { TopList } from "../rollups/top-list.ts";
import type { EventFields } from "../sampling/event-fields.ts";
import type { ExaminedEvent } from "../sampling/sampled-event.ts";
import { CompactCounts } from "./compact-counts.ts";

/*
 * What each sensor does: when its batches come, what their events are about, and how its clock goes. About 3 KB a sensor.
 * Times between batches go by the monotonic clock.
 */

/** Batches of which the gaps make up what is usual. */
const maxGaps = 32;
/** Counts are of this generation and the one before: of the last 12 to 24 hours. */
const generationMs = 12 * 3_600_000;
/** The same for how far a clock is behind: of the last 10 to 20 minutes in which it sent something. */
const offsetGenerationMs = 600_000;
/** Names of networks and countries, of all sensors together; the one that was named first is forgotten. */
const maxNames = 8192;

export interface BatchTimes {
  /** Milliseconds since the epoch. */
  readonly lastBatchAt: number;
  /** By the monotonic clock. */
  readonly lastBatchMonotonicAt: number;
  /** The median; undefined: there was one batch. */
  readonly usualGapMs: number | undefined;
  /** Gaps that this is of, 32 at most. */
  readonly gapCount: number;
  /**
   * Seconds between the time stamp of an event and its receipt, the least of the last minutes: a batch waits at the
   * sensor before it leaves, so most events are older than they would be by its clock alone. Negative: it is ahead.
   */
  readonly clockBehindSeconds: number | undefined;
}

export interface SensorTop {
  /** Milliseconds since the epoch. */
  readonly sinceAt: number;
  readonly ports: TopList;
  readonly countries: TopList;
  readonly networks: TopList;
}

export interface SensorActivity {
  /** Told of each kept batch, also of an empty one. Only for sensors from the configuration: an entry stays for good. */
  noteBatch(sensorId: string, receivedAt: number): void;
  noteEvent(event: ExaminedEvent): void;
  /** undefined: no batch was kept. */
  timesOf(sensorId: string): BatchTimes | undefined;
  topOf(sensorId: string): SensorTop;
}

export function createSensorActivity(clock: HistoryClock = systemHistoryClock): SensorActivity {
  const sensors = new Map<string, Sensor>();
  const networkNames = new Names();
  const countryNames = new Names();
  const beganAt = clock.monotonic();
  const generationNow = () => Math.floor((clock.monotonic() - beganAt) / generationMs);

  function sensorOf(sensorId: string): Sensor {
    let sensor = sensors.get(sensorId);
    if (!sensor) {
      sensor = new Sensor();
      sensors.set(sensorId, sensor);
    }
    return sensor;
  }

  return {
    noteBatch: (sensorId, receivedAt) => sensorOf(sensorId).noteBatch(receivedAt, clock.monotonic()),

    noteEvent({ sensorId, receivedAt, fields }) {
      const sensor = sensorOf(sensorId);
      sensor.topAt(generationNow()).add(fields);
      if (fields.timestampMs !== undefined)
        sensor.noteOffset(receivedAt - fields.timestampMs, clock.monotonic() - beganAt);
      networkNames.learn(fields.asNumber, fields.asOrganizationName);
      countryNames.learn(countryNumber(fields.countryIsoCode), fields.countryName);
    },

    timesOf: (sensorId) => sensors.get(sensorId)?.times(),

    topOf(sensorId) {
      const generation = generationNow();
      const top = sensors.get(sensorId)?.topOver(generation) ?? new Top();
      const firstMs = Math.max(0, generation - 1) * generationMs;
      return {
        sinceAt: Math.round(clock.now() - (clock.monotonic() - beganAt - firstMs)),
        ports: named(top.ports, String, () => null),
        countries: named(top.countries, countryCode, (number) => countryNames.of(number)),
        networks: named(top.networks, String, (number) => networkNames.of(number)),
      };
    },
  };
}

class Sensor {
  #lastBatchAt: number | undefined;
  #lastBatchMonotonicAt = 0;
  readonly #gaps = new Float64Array(maxGaps);
  #gapCount = 0;
  #generation = 0;
  #top = new Top();
  #topBefore: Top | undefined;
  #offsetGeneration = 0;
  #leastOffsetMs = Number.POSITIVE_INFINITY;
  #leastOffsetBeforeMs = Number.POSITIVE_INFINITY;

  noteBatch(receivedAt: number, monotonicAt: number): void {
    if (this.#lastBatchAt !== undefined)
      this.#gaps[this.#gapCount++ % maxGaps] = monotonicAt - this.#lastBatchMonotonicAt;
    this.#lastBatchAt = receivedAt;
    this.#lastBatchMonotonicAt = monotonicAt;
  }

  noteOffset(offsetMs: number, elapsedMs: number): void {
    const generation = Math.floor(elapsedMs / offsetGenerationMs);
    if (generation !== this.#offsetGeneration) {
      const isNext = generation === this.#offsetGeneration + 1;
      this.#leastOffsetBeforeMs = isNext ? this.#leastOffsetMs : Number.POSITIVE_INFINITY;
      this.#leastOffsetMs = Number.POSITIVE_INFINITY;
      this.#offsetGeneration = generation;
    }
    if (offsetMs < this.#leastOffsetMs) this.#leastOffsetMs = offsetMs;
  }

  times(): BatchTimes | undefined {
    if (this.#lastBatchAt === undefined) return undefined;
    const leastOffsetMs = Math.min(this.#leastOffsetMs, this.#leastOffsetBeforeMs);
    return {
      lastBatchAt: this.#lastBatchAt,
      lastBatchMonotonicAt: this.#lastBatchMonotonicAt,
      usualGapMs: this.#medianGapMs(),
      gapCount: Math.min(this.#gapCount, maxGaps),
      clockBehindSeconds: Number.isFinite(leastOffsetMs) ? Math.round(leastOffsetMs / 1000) : undefined,
    };
  }

  /** The counts of a generation, which is open from then on. */
  topAt(generation: number): Top {
    if (generation !== this.#generation) {
      this.#topBefore = generation === this.#generation + 1 ? this.#top : undefined;
      this.#top = new Top();
      this.#generation = generation;
    }
    return this.#top;
  }

  /** The counts of a generation and the one before. */
  topOver(generation: number): Top {
    const both = new Top();
    both.merge(this.topAt(generation));
    if (this.#topBefore) both.merge(this.#topBefore);
    return both;
  }

  #medianGapMs(): number | undefined {
    const sorted = this.#gaps.slice(0, Math.min(this.#gapCount, maxGaps)).sort();
    const upper = sorted[sorted.length >> 1];
    const lower = sorted[(sorted.length - 1) >> 1];
    return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
  }
}

class Top {
  readonly ports = new CompactCounts();
  readonly countries = new CompactCounts();
  readonly networks = new CompactCounts();

  add({ port, countryIsoCode, asNumber }: EventFields): void {
    this.ports.add(port);
    this.countries.add(countryNumber(countryIsoCode));
    this.networks.add(asNumber);
  }

  merge(top: Top): void {
    this.ports.merge(top.ports);
    this.countries.merge(top.countries);
    this.networks.merge(top.networks);
  }
}

/** The names that go with numbers, the last so many. */
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

function named(
  counts: CompactCounts,
  keyOf: (number: number) => string,
  labelOf: (number: number) => string | null,
): TopList {
  const entries = counts
    .held()
    .map(({ number, count }) => ({ key: keyOf(number), label: labelOf(number), count }));
  return { entries, other: counts.other, none: counts.none };
}

/** Two capital letters as one number, which takes less room. */
function countryNumber(code: string | undefined): number | undefined {
  return code === undefined ? undefined : code.charCodeAt(0) * 256 + code.charCodeAt(1);
}

function countryCode(number: number): string {
  return String.fromCharCode(number >> 8, number & 0xff);
}
