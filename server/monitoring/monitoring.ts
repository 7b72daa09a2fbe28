import type { Claim } from "../ingest/claimed-id.ts";
import type { ObserveBatch } from "../pipeline.ts";
import type { Ledger } from "../telemetry/ledger.ts";
import { createProcessResources, type ProcessResources } from "../telemetry/process-resources.ts";
import { type History, startHistory } from "./history/history.ts";
import { RefusalRecords } from "./refusals/refusal-records.ts";
import { AttackRollups } from "./rollups/attack-rollups.ts";
import { EventSampler } from "./sampling/event-sampler.ts";
import { TimeSlices } from "./sampling/time-slices.ts";
import { SensorActivity } from "./sensors/sensor-activity.ts";
import { RecentEvents } from "./tail/recent-events.ts";
import { SearchTexts } from "./tail/search-texts.ts";
import { Tail } from "./tail/tail.ts";

export interface MonitoringOptions {
  readonly ledger: Ledger;
  readonly claimOf: (claimedId: string | null) => Claim;
  /** The most memory that recent events take. */
  readonly recentEventsBytes: number;
  /** The directory whose free disk space is shown; undefined: Loom writes nothing to disk. */
  readonly dataDirectory: string | undefined;
  /** Called the first time that a sampled event cannot be counted, which is a defect. */
  readonly onDefect: (error: unknown) => void;
}

/** What Loom records for its dashboard, all of it in bounded memory. */
export interface Monitoring {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly history: History;
  readonly resources: ProcessResources;
  readonly refusals: RefusalRecords;
  readonly rollups: AttackRollups;
  readonly activity: SensorActivity;
  readonly recentEvents: RecentEvents;
  readonly tail: Tail;
  readonly observe: ObserveBatch;
  /** Sends the newest events to the viewers of the tail, and ends their streams. */
  stop(): Promise<void>;
}

/** To be called at the start: the recorded times and rates begin here. */
export function startMonitoring(options: MonitoringOptions): Monitoring {
  const { ledger, claimOf, onDefect } = options;
  const startedAt = Date.now();
  const resources = createProcessResources({ directory: options.dataDirectory });
  const history = startHistory({ ledger, onSample: resources.sample });
  const refusals = new RefusalRecords({ claimOf });
  const rollups = new AttackRollups();
  const activity = new SensorActivity();
  const recentEvents = new RecentEvents({ maxBytes: options.recentEventsBytes });
  const searchTexts = new SearchTexts();
  const timeSlices = new TimeSlices();
  const sampler = new EventSampler({
    recentEvents,
    searchTexts,
    timeSlices,
    onSampled(event) {
      rollups.note(event);
      activity.noteEvent(event);
    },
    onDefect,
  });
  const tail = new Tail({ sampler, recentEvents, searchTexts, timeSlices, startedAt });
  return {
    ...{ startedAt, history, resources, refusals, rollups, activity, recentEvents, tail },
    observe(batch) {
      activity.noteBatch(batch.sensorId, Date.now());
      sampler.observe(batch);
    },
    async stop() {
      history.stop();
      await tail.stop();
    },
  };
}
