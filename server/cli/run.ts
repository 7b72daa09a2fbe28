import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import type { ConfiguredOutput } from "../outputs/descriptor.ts";
import { outputDescriptors } from "../outputs/registry.ts";
import { createLog } from "../telemetry/log.ts";
import { version } from "../version.ts";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { exitWith } from "./exit.ts";
import { LoomProcess } from "./loom-process.ts";
import { signals } from "./signals.ts";

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
  handlesSignals: true,
  run: (args) => runFromFile(parseArguments(args, configFlag).values.config),
};

async function runFromFile(path: string): Promise<void> {
  // Until there is a Loom that has to be stopped.
  signals.onStop(() => process.exit(0));
  const config = await readConfig(path);
  const log = createLog(config.logging);
  const options = { config, environment: process.env, readConfig: () => load(path) };
  await new LoomProcess(log).start(options, (error) => error.message);
  // Only now: a start that fails must write a single line.
  log.info("started", { version, config: path, output: config.output.type.join(",") });
}

async function readConfig(path: string): Promise<Config<ConfiguredOutput>> {
  try {
    return await load(path);
  } catch (error) {
    exitWith((error as Error).message);
  }
}

function load(path: string): Promise<Config<ConfiguredOutput>> {
  return loadConfig(path, process.env, outputDescriptors);
}
