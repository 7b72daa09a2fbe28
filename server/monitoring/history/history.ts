import { keptEvents, type Ledger, refusedRequests, unknownSensorId } from "../../telemetry/ledger.ts";
import { type CounterHistory, type HistoryClock, systemHistoryClock, Timeline } from "./counter-history.ts";

/** The ledger over time: what the dashboard's rates and charts are read from. */
export interface History {
  /** Events kept, of all sensors. */
  readonly kept: CounterHistory;
  /** Requests refused, of everybody. */
  readonly refused: CounterHistory;
  /** Events kept of one sensor; only for ids from the configuration or the ledger. */
  sensor(sensorId: string): CounterHistory;
  /** The history of another counter, which was 0 at the start; see Timeline.track. */
  track(name: string, read: () => number): CounterHistory;
  stop(): void;
}

export interface HistoryOptions {
  readonly ledger: Ledger;
  /** Called at each sample, for what else is to be looked at every 10 s. */
  readonly onSample?: () => void;
  readonly clock?: HistoryClock;
}

const sampleIntervalMs = 10_000;

/** Reads the ledger every 10 s; ingest itself does nothing for it. */
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

  /** A sensor comes into the ledger with its first request. */
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
