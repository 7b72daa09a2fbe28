import type { RefusedEvents } from "./refusal.ts";

/** Assumed before any batch is kept. */
const firstEventBytes = 1000;
/** The most events that are assumed of one request, because its client chooses the length that it declares. */
const maxEvents = 100_000;
/** After this many events, older batches count half, so that the averages follow a sensor that changes. */
const rememberedEvents = 20_000;
/** The longest body without an event: `[]`. */
const emptyBodyBytes = 2;

export interface EventEstimates {
  /** Notes a batch that is kept. @param bodyBytes as received, compressed or not */
  note(sensorId: string, bodyBytes: number, eventCount: number): void;
  /**
   * The number of events in a body that was not read or is not valid: its length divided by the mean size of the sensor's
   * events, or of all events if no batch of the sensor was kept.
   * @param bodyBytes undefined: the length is not known, and the mean number of events in a batch is returned
   */
  estimate(sensorId: string, bodyBytes: number | undefined): RefusedEvents;
}

interface Averages {
  bytes: number;
  events: number;
  batches: number;
}

/** Estimates how many events a refused request had. Call `note` for configured sensors only: an entry is never removed. */
export function createEventEstimates(): EventEstimates {
  const bySensor = new Map<string, Averages>();
  const overall: Averages = { bytes: 0, events: 0, batches: 0 };

  function averagesOf(sensorId: string): Averages {
    const own = bySensor.get(sensorId);
    return own && own.events > 0 ? own : overall;
  }

  return {
    note(sensorId, bodyBytes, eventCount) {
      const own = bySensor.get(sensorId) ?? { bytes: 0, events: 0, batches: 0 };
      bySensor.set(sensorId, own);
      for (const averages of [own, overall]) addBatch(averages, bodyBytes, eventCount);
    },
    estimate(sensorId, bodyBytes) {
      const { bytes, events, batches } = averagesOf(sensorId);
      if (bodyBytes !== undefined && bodyBytes <= emptyBodyBytes) return { count: 0, isEstimate: false };
      const eventBytes = events > 0 ? bytes / events : firstEventBytes;
      const perBatch = batches > 0 ? events / batches : 1;
      const count = Math.round(bodyBytes === undefined ? perBatch : bodyBytes / eventBytes);
      return { count: Math.min(Math.max(1, count), maxEvents), isEstimate: true };
    },
  };
}

function addBatch(averages: Averages, bodyBytes: number, eventCount: number): void {
  averages.bytes += bodyBytes;
  averages.events += eventCount;
  averages.batches++;
  if (averages.events < rememberedEvents) return;
  averages.bytes /= 2;
  averages.events /= 2;
  averages.batches /= 2;
}
