import { keptEvents, type Ledger, refusedRequests, unknownSensorId } from "../../telemetry/ledger.ts";
import type { Change, SavedEntries } from "../saved-state/saved-entries.ts";
import type { Chronicle } from "./chronicle.ts";
import type { CounterHistory } from "./counter-history.ts";
import { Timeline } from "./timeline.ts";

/** The ledger over time, from which the dashboard's rates and charts are read. */
export interface History {
  /** Events kept from all sensors. */
  readonly kept: CounterHistory;
  /** Requests refused, of all clients. */
  readonly refused: CounterHistory;
  /** Events kept from one sensor. The id must be from the configuration or the ledger. */
  sensor(sensorId: string): CounterHistory;
  /** The history of another counter that was 0 at the start of the process; see Timeline.track. */
  track(name: string, read: () => number): CounterHistory;
  /** See SavedPart. */
  changes(): Iterable<Change>;
  stop(): void;
}

export interface HistoryOptions {
  readonly ledger: Ledger;
  /** Called at each sample, for other values that are to be read every 10 s. */
  readonly onSample?: () => void;
  readonly chronicle?: Chronicle;
  readonly saved?: SavedEntries | undefined;
}

const sampleIntervalMs = 10_000;

/** Starts to read the ledger every 10 s. Ingest does no work for it. */
export function startHistory(options: HistoryOptions): History {
  const { ledger, chronicle, saved } = options;
  const timeline = new Timeline(chronicle, trackNewSensors, saved);
  const kept = timeline.track("kept", () => keptEvents(ledger));
  const refused = timeline.track("refused", () => refusedRequests(ledger));
  const timer = setInterval(() => {
    timeline.sample();
    options.onSample?.();
  }, sampleIntervalMs);
  timer.unref();

  /** A sensor appears in the ledger with its first request. */
  function trackNewSensors(): void {
    for (const sensorId of ledger.sensors.keys()) if (sensorId !== unknownSensorId) sensor(sensorId);
  }

  function sensor(sensorId: string): CounterHistory {
    return timeline.track(`sensor ${sensorId}`, () => ledger.sensors.get(sensorId)?.keptEvents ?? 0);
  }

  return {
    kept,
    refused,
    sensor,
    track: (name, read) => timeline.track(`other ${name}`, read),
    changes: () => timeline.changes(),
    stop: () => clearInterval(timer),
  };
}
