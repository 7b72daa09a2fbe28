import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config } from "../config/config.ts";
import { openStateFile, type StateFile, stateFileName } from "../monitoring/saved-state/state-file.ts";
import type { Log } from "../telemetry/log.ts";

export interface DashboardStateOptions {
  /** Whether events go through the outbox, so that its directory exists and is Loom's alone. */
  readonly hasOutbox: boolean;
  readonly log: Log;
}

export interface DashboardState {
  /** undefined: nothing is stored. */
  readonly file: StateFile | undefined;
  /** Logs that nothing is stored, if nobody has switched it off. To be called when Loom has started. */
  announce(): void;
}

/** The value of dashboard.state_dir that switches the file off. */
const off = "none";

/** Opens the file in which the dashboard stores what it knows. What is wrong with it is logged and never prevents a start. */
export async function openDashboardState(
  config: Config,
  options: DashboardStateOptions,
): Promise<DashboardState> {
  const log = options.log.component("management");
  const { stateDir } = config.dashboard;
  if (!config.server.managementListenAddress || stateDir === off) return { file: undefined, announce() {} };
  const dir = stateDir ?? (options.hasOutbox ? config.output.outbox.dir : dirname(config.output.outbox.dir));
  if (stateDir === undefined && !(await isWritable(dir)))
    return {
      file: undefined,
      announce: () =>
        log.info(
          "what the dashboard knows is not stored, and is lost when Loom stops; set dashboard.state_dir to store it",
          { dir },
        ),
    };
  const path = join(dir, stateFileName);
  return {
    file: await openStateFile({ path, isDirectoryCreated: stateDir !== undefined, log }),
    announce() {},
  };
}

async function isWritable(dir: string): Promise<boolean> {
  try {
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    // It does not exist, or belongs to somebody else. The caller logs that nothing is stored.
    return false;
  }
}
