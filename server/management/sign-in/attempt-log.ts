import type { Log } from "../../telemetry/log.ts";

export interface AttemptLog {
  noteFailure(client: string | undefined): void;
  /** Logs the attempts that are counted and not logged yet, and stops the timer. */
  stop(): void;
}

const summaryIntervalMs = 60_000;

/** Logs wrong tokens: the first one at once, and the next ones as one count a minute, until a minute has none. */
export function createAttemptLog(log: Log): AttemptLog {
  let isSilenced = false;
  let silenced = 0;
  const timer = setInterval(summarize, summaryIntervalMs);

  function summarize(): void {
    isSilenced = silenced > 0;
    if (silenced > 0) log.warn("more wrong tokens at the sign-in", { count: silenced });
    silenced = 0;
  }

  return {
    noteFailure(client) {
      if (isSilenced) silenced++;
      else log.warn("wrong token at the sign-in", { client });
      isSilenced = true;
    },
    stop() {
      clearInterval(timer);
      summarize();
    },
  };
}
