import type { Log } from "../../telemetry/log.ts";
import { workerFile } from "../../worker-file.ts";
import { SavedEntries } from "./saved-entries.ts";
import type { Removal, Write } from "./state-database.ts";
import type { StateAnswer, StateRequest } from "./state-messages.ts";

/** The name of the file in its directory. */
export const stateFileName = "dashboard.db";
/** If the disk does not answer within this time at the start, the state is neither read nor saved. */
const openMs = 5_000;

/** The open file of the dashboard's state. */
export interface StateFile {
  /** What was saved before this start. */
  readonly saved: SavedEntries;
  /** One call at a time. @returns why it failed; undefined: written */
  write(writes: readonly Write[], removals: readonly Removal[]): Promise<string | undefined>;
  /** Closes the file and ends its thread. @returns when it is closed, or after `maxWaitMs` if the disk hangs */
  close(maxWaitMs: number): Promise<void>;
}

export interface StateFileOptions {
  readonly path: string;
  /** Whether its directory is created, if it does not exist. */
  readonly isDirectoryCreated: boolean;
  readonly log: Log;
}

/**
 * Opens or creates the file on a thread of its own. What is wrong is logged and never prevents a start.
 * @returns undefined if it cannot be used
 */
export async function openStateFile(options: StateFileOptions): Promise<StateFile | undefined> {
  const { path, isDirectoryCreated, log } = options;
  const thread = new StateThread();
  const answer = await thread.ask({ do: "open", path, isDirectoryCreated }, openMs);
  if (answer?.did !== "open") {
    const reason = answer?.did === "fail" ? answer.reason : "the disk does not answer";
    log.warn(
      "cannot use the file of the dashboard's state; what the dashboard knows is lost when Loom stops",
      {
        path,
        reason,
      },
    );
    thread.end();
    return undefined;
  }
  const { entries, damagedEntries, renamed } = answer;
  if (renamed)
    log.warn("the file of the dashboard's state cannot be used; it was renamed, and a new one begins", {
      path,
      renamed_to: renamed.path,
      reason: renamed.reason,
    });
  if (damagedEntries > 0)
    log.warn("the file of the dashboard's state has damaged entries; they were removed", {
      path,
      entries: damagedEntries,
    });
  return {
    saved: new SavedEntries(entries),
    async write(writes, removals) {
      const answer = await thread.ask({ do: "write", writes, removals });
      return answer?.did === "write" ? undefined : reasonOf(answer);
    },
    async close(maxWaitMs) {
      const answer = await thread.ask({ do: "close" }, maxWaitMs);
      if (answer?.did !== "close")
        log.warn("the file of the dashboard's state was not closed", { path, reason: reasonOf(answer) });
      thread.end();
    },
  };
}

function reasonOf(answer: StateAnswer | undefined): string {
  return answer?.did === "fail" ? answer.reason : "the disk does not answer";
}

/** The thread that reads and writes the file. It does not keep the process alive. */
class StateThread {
  readonly #worker = new Worker(workerFile("server/monitoring/saved-state/state-worker.ts"));
  /** The oldest request first; its answer comes first. */
  readonly #waiting: ((answer: StateAnswer) => void)[] = [];

  constructor() {
    this.#worker.unref();
    this.#worker.onmessage = ({ data }: MessageEvent<StateAnswer>) => this.#waiting.shift()?.(data);
    this.#worker.onerror = ({ message }) => {
      for (const answer of this.#waiting.splice(0)) answer({ did: "fail", reason: message });
    };
  }

  /** @returns undefined if there is no answer within `maxWaitMs` */
  async ask(request: StateRequest, maxWaitMs?: number): Promise<StateAnswer | undefined> {
    const { promise, resolve } = Promise.withResolvers<StateAnswer | undefined>();
    this.#waiting.push(resolve);
    this.#worker.postMessage(request);
    const timer = maxWaitMs === undefined ? undefined : setTimeout(() => resolve(undefined), maxWaitMs);
    const answer = await promise;
    clearTimeout(timer);
    return answer;
  }

  end(): void {
    this.#worker.terminate();
  }
}
