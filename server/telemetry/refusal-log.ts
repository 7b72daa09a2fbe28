import type { Log } from "./log.ts";

export interface RefusalLog {
  /** Notes one refusal. The first of its kind is logged at once, the others as one count a minute. */
  note(kind: { readonly reason: string; readonly sensorId: string }, detail: RefusalDetail): void;
  /** Logs what is still counted and stops the clock. */
  stop(): void;
}

export interface RefusalDetail {
  readonly client: string | undefined;
  readonly detail: string | undefined;
}

const summaryIntervalMs = 60_000;

/**
 * Refusals in the log, sampled: whoever sends bad requests must not be able to fill a disk. Kinds are pairs of a
 * reason and a configured sensor (or "unknown"), so their number is bounded.
 */
export function createRefusalLog(log: Log, intervalMs = summaryIntervalMs): RefusalLog {
  /** How many of each kind since its last line; a kind is here from its first line to a minute without one. */
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
    note({ reason, sensorId }, { client, detail }) {
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
