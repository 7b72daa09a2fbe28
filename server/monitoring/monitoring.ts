import type { Claim } from "../ingest/claimed-id.ts";
import type { RefusedRequest } from "../ingest/refusal.ts";
import type { ObserveBatch } from "../pipeline.ts";
import type { Ledger } from "../telemetry/ledger.ts";
import type { Log } from "../telemetry/log.ts";
import { createProcessResources, type ProcessResources } from "../telemetry/process-resources.ts";
import { Chronicle } from "./history/chronicle.ts";
import { type History, startHistory } from "./history/history.ts";
import { type RefusalHistory, trackRefusals } from "./refusals/refusal-history.ts";
import { RefusalRecords } from "./refusals/refusal-records.ts";
import { AttackRollups } from "./rollups/attack-rollups.ts";
import { EventSampler } from "./sampling/event-sampler.ts";
import { TimeSlices } from "./sampling/time-slices.ts";
import type { StateFile } from "./saved-state/state-file.ts";
import { StateSaver } from "./saved-state/state-saver.ts";
import { forgetOldSensors } from "./sensors/forget-old-sensors.ts";
import { SensorActivity } from "./sensors/sensor-activity.ts";
import { SensorLoss } from "./sensors/sensor-loss.ts";
import { SensorTotals } from "./sensors/sensor-totals.ts";
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
  /** What was saved before this start, and where changes are saved; undefined: nothing is saved. */
  readonly stateFile: StateFile | undefined;
  /** The sensors that are configured at present. */
  readonly sensorIds: () => readonly string[];
  readonly log: Log;
  /** Called the first time that a sampled event cannot be counted, which is a defect. */
  readonly onDefect: (error: unknown) => void;
}

/** What Loom records for its dashboard, all of it in bounded memory. */
export interface Monitoring {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly chronicle: Chronicle;
  readonly totals: SensorTotals;
  readonly history: History;
  readonly resources: ProcessResources;
  readonly refusals: RefusalRecords;
  readonly refusalHistory: RefusalHistory;
  readonly rollups: AttackRollups;
  readonly activity: SensorActivity;
  readonly loss: SensorLoss;
  readonly recentEvents: RecentEvents;
  readonly tail: Tail;
  readonly observe: ObserveBatch;
  noteRefusal(refused: RefusedRequest): void;
  /** Sends the newest events to the viewers of the tail, ends their streams, and saves what is recorded. */
  stop(): Promise<void>;
}

const dayMs = 86_400_000;
/** The part of the time of a stop that the last save may take if the disk is slow. */
const lastSaveMs = 1_000;

/** To be called at the start: what is recorded begins or continues here. */
export function startMonitoring(options: MonitoringOptions): Monitoring {
  const { ledger, claimOf, onDefect, stateFile, log } = options;
  const saved = stateFile?.saved;
  const startedAt = Date.now();
  const resources = createProcessResources({ directory: options.dataDirectory });
  // The scale begins with a day, so that its days and hours are those of UTC.
  const chronicle = new Chronicle({ saved, firstMs: startedAt % dayMs });
  const history = startHistory({ ledger, chronicle, saved, onSample: resources.sample });
  const refusals = new RefusalRecords({ claimOf, chronicle, saved });
  const refusalHistory = trackRefusals(history, refusals);
  const rollups = new AttackRollups(chronicle, saved);
  const activity = new SensorActivity(chronicle, saved);
  const loss = new SensorLoss(chronicle.clock);
  const totals = new SensorTotals(ledger, saved);
  if (saved) {
    forgetOldSensors({ ...{ chronicle, refusals, activity, totals }, sensorIds: options.sensorIds() });
    if (saved.damaged > 0)
      log.warn("some entries of the dashboard's state cannot be used; they are ignored", {
        entries: saved.damaged,
      });
  }
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
  const parts = { chronicle, history, refusals, rollups, activity, totals };
  const saver = stateFile && new StateSaver({ file: stateFile, ...savedParts(parts), timeSlices, log });
  return {
    ...parts,
    ...{ startedAt, resources, refusalHistory, loss, recentEvents, tail },
    observe(batch, ignoredEvents) {
      activity.noteBatch(batch.sensorId, Date.now());
      loss.noteKept(batch.sensorId, batch.eventCount + ignoredEvents);
      sampler.observe(batch);
    },
    noteRefusal(refused) {
      refusals.note(refused);
      loss.noteRefused(refused);
    },
    async stop() {
      history.stop();
      await tail.stop();
      await saver?.stop(lastSaveMs);
    },
  };
}

/** What is saved how often. */
function savedParts(
  parts: Pick<Monitoring, "chronicle" | "history" | "refusals" | "rollups" | "activity" | "totals">,
) {
  const { chronicle, history, refusals, rollups, activity, totals } = parts;
  return {
    quickParts: [
      chronicle,
      history,
      totals,
      rollups,
      { changes: () => activity.timeChanges() },
      { changes: () => refusals.sensorChanges() },
    ],
    slowParts: [{ changes: () => activity.countChanges() }, { changes: () => refusals.groupChanges() }],
  };
}
