import { keptEvents, type Ledger, refusedRequests, unknownSensorId } from "../../telemetry/ledger.ts";
import { type CounterHistory, type HistoryClock, systemHistoryClock, Timeline } from "./counter-history.ts";

/** The ledger over time, from which the dashboard's rates and charts are read. */
export interface History {
  /** Events kept from all sensors. */
  readonly kept: CounterHistory;
  /** Requests refused, of all clients. */
  readonly refused: CounterHistory;
  /** Events kept from one sensor. The id must be from the configuration or the ledger. */
  sensor(sensorId: string): CounterHistory;
  /** The history of another counter that was 0 at the start; see Timeline.track. */
  track(name: string, read: () => number): CounterHistory;
  stop(): void;
}

export interface HistoryOptions {
  readonly ledger: Ledger;
  /** Called at each sample, for other values that are to be read every 10 s. */
  readonly onSample?: () => void;
  readonly clock?: HistoryClock;
}

const sampleIntervalMs = 10_000;

/** Starts to read the ledger every 10 s. Ingest does no work for it. */
export function startHistory(options: HistoryOptions): History {
  const { ledger, clock = systemHistoryClock } = options;
  const timeline = new Timeline(clock, trackNewSensors);
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
    stop: () => clearInterval(timer),
  };
}
