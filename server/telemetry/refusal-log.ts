import type { Log } from "./log.ts";

export interface RefusalLog {
  /** Notes one refusal. The first one of its kind is logged at once, the following ones as one count per minute. */
  note(refused: LoggedRefusal): void;
  /** Logs the counts that are not logged yet, and stops the timer. */
  stop(): void;
}

export interface LoggedRefusal {
  readonly reason: string;
  readonly sensorId: string;
  readonly client: string | undefined;
  readonly detail: string | undefined;
}

const summaryIntervalMs = 60_000;

/**
 * Logs refusals, sampled: a client that sends bad requests must not be able to fill a disk. A kind is a pair of a
 * reason and a configured sensor (or "unknown"), so the number of kinds is bounded.
 */
export function createRefusalLog(log: Log, intervalMs = summaryIntervalMs): RefusalLog {
  /** Refusals of each kind since its last log line. A kind is removed after an interval without a refusal. */
  const silenced = new Map<string, { readonly reason: string; readonly sensor: string; count: number }>();
  const timer = setInterval(summarize, intervalMs);

  function summarize(): void {
    for (const [key, { reason, sensor, count }] of silenced) {
      if (count === 0) silenced.delete(key);
      else {
        log.warn("more requests refused", { reason, sensor, count });
        silenced.set(key, { reason, sensor, count: 0 });
      }
    }
  }

  return {
    note({ reason, sensorId, client, detail }) {
      const key = `${reason} ${sensorId}`;
      const known = silenced.get(key);
      if (known) known.count++;
      else {
        silenced.set(key, { reason, sensor: sensorId, count: 0 });
        log.warn("request refused", { reason, sensor: sensorId, client, detail });
      }
    },
    stop() {
      clearInterval(timer);
      summarize();
    },
  };
}
