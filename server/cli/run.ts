import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import { type Loom, startLoom } from "../main.ts";
import type { ConfiguredOutput } from "../outputs/descriptor.ts";
import { outputDescriptors } from "../outputs/registry.ts";
import { createLog, type Log } from "../telemetry/log.ts";
import { version } from "../version.ts";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { exitWith } from "./exit.ts";

const logFlushMs = 500;
/** A stop ends after this time, whatever hangs: a service manager's patience is often 10 s. */
const maxStopMs = 9_000;

/** The flag of every command that reads the configuration file. */
export const configFlag = { config: { type: "string", default: "loom.toml" } } as const;

/** `loom -config FILE`. */
export const run: Command = {
  name: undefined,
  usage: [
    {
      synopsis: "loom -config loom.toml",
      summary: "run with this configuration file; without the flag, with loom.toml",
    },
  ],
  run: (args) => runFromFile(parseArguments(args, configFlag).values.config),
};

async function runFromFile(path: string): Promise<void> {
  const config = await orExit(() => loadConfig(path, process.env, outputDescriptors));
  const log = createLog(config.logging);
  await runLoom(config, process.env, log);
  // Only now: a start that fails must write a single line.
  log.info("started", { version, config: path, output: config.output.type.join(",") });
}

/**
 * Starts Loom, and stops or reloads it on signals. If it cannot start, the process exits with the message that `explain`
 * returns for the error.
 */
export async function runLoom(
  config: Config<ConfiguredOutput>,
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
  explain = messageOf,
): Promise<Loom> {
  const start = () => startLoom({ config, environment, log, onFatal: (error) => void end(error) });
  const loom = await orExit(start, explain);
  let isEnding = false;

  /** Exits with status 0 after a signal, with 1 if stdout is closed. */
  async function end(cause: Error | string): Promise<void> {
    if (isEnding) return;
    isEnding = true;
    const isFatal = cause instanceof Error;
    if (isFatal) log.error("stdout is closed; stopping", { error: cause.message });
    else log.info("stopping", { signal: cause });
    const isStopped = await Promise.race([loom.stop().then(() => true), Bun.sleep(maxStopMs)]);
    if (isStopped) log.info("stopped");
    else log.error("cannot stop in time; exiting now. Acknowledged events are kept");
    await log.flush(logFlushMs);
    process.exit(isFatal ? 1 : 0);
  }

  process.on("SIGTERM", () => void end("SIGTERM"));
  process.on("SIGINT", () => void end("SIGINT"));
  process.on("SIGHUP", () => void loom.reload());
  return loom;
}

async function orExit<Result>(start: () => Result | Promise<Result>, explain = messageOf): Promise<Result> {
  try {
    return await start();
  } catch (error) {
    exitWith(explain(error as Error));
  }
}

function messageOf(error: Error): string {
  return error.message;
}
