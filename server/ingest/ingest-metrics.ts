import type { Ledger, SensorLedger } from "../telemetry/ledger.ts";
import type { MetricRegistry, Sample } from "../telemetry/metric-registry.ts";

/**
 * Declares the metrics of ingest. All but the duration are read from the ledger.
 * @returns a function that records how many seconds one request took
 */
export function declareIngestMetrics(metrics: MetricRegistry, ledger: Ledger): (seconds: number) => void {
  const read = <Key extends string>(samples: (sensor: SensorLedger) => Iterable<Sample<Key>>) =>
    function* () {
      for (const [sensor_id, sensor] of ledger.sensors)
        for (const [labels, value] of samples(sensor)) yield [{ sensor_id, ...labels }, value] as const;
    };

  metrics.counter({
    name: "loom_ingest_requests_total",
    help: "Ingest requests by HTTP status. Status 499 means that the client closed the connection before its body was complete.",
    labels: ["sensor_id", "status"],
    read: read((sensor) => by("status", sensor.requestsByStatus)),
  });
  metrics.counter({
    name: "loom_ingest_events_total",
    help: "Events kept, that is, synced to disk or written to stdout.",
    labels: ["sensor_id"],
    read: read((sensor) => [[{}, sensor.keptEvents]]),
  });
  metrics.counter({
    name: "loom_ingest_ignored_events_total",
    help: "Events removed by an [[ignore]] rule from batches that were answered 204. They are neither kept nor refused.",
    labels: ["sensor_id"],
    read: read((sensor) => [[{}, sensor.ignoredEvents]]),
  });
  metrics.counter({
    name: "loom_ignore_rule_events_total",
    help: "Events that an [[ignore]] rule applied to, by its action: drop (the event is ignored), tag (the event is kept with a tag).",
    labels: ["rule", "action"],
    *read() {
      for (const { rule, action, events } of ledger.rules) yield [{ rule, action }, events];
    },
  });
  metrics.counter({
    name: "loom_ingest_bytes_total",
    help: "Bytes of the request bodies that were read, including those of refused requests.",
    labels: ["sensor_id"],
    read: read((sensor) => [[{}, sensor.bodyBytes]]),
  });
  metrics.counter({
    name: "loom_ingest_refused_requests_total",
    help: "Requests refused, by the error code that they were answered with.",
    labels: ["sensor_id", "reason"],
    read: read((sensor) => by("reason", sensor.refusedBatches)),
  });
  metrics.counter({
    name: "loom_ingest_refused_events_total",
    help: 'Events of refused requests. With estimated="false": those of valid batches, counted. With estimated="true": those of bodies that were not read or are not valid, estimated from their length and the mean size of the sensor\'s events.',
    labels: ["sensor_id", "reason", "estimated"],
    read: read(refusedEventSamples),
  });
  const observe = metrics.histogram({
    name: "loom_ingest_request_duration_seconds",
    help: "Time from the headers of an ingest request to its answer.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
  });
  return (seconds) => observe({}, seconds);
}

function* refusedEventSamples(sensor: SensorLedger): Generator<Sample<"reason" | "estimated">> {
  for (const [reason, events] of sensor.refusedEvents) yield [{ reason, estimated: "false" }, events];
  for (const [reason, events] of sensor.estimatedRefusedEvents) yield [{ reason, estimated: "true" }, events];
}

function* by<Label extends string>(
  label: Label,
  counts: ReadonlyMap<string | number, number>,
): Generator<Sample<Label>> {
  for (const [key, value] of counts) yield [{ [label]: key } as Record<Label, string | number>, value];
}
