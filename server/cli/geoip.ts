import type { DatabaseUpdate, UpdatesConfig } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import { createDescriptorWriter } from "../descriptor-writer.ts";
import { describeSource } from "../enrich/update/download-targets.ts";
import { type UpdateOutcome, type UpdateProgress, updateDatabase } from "../enrich/update/update-database.ts";
import { UpdateError } from "../enrich/update/update-error.ts";
import { outputDescriptors } from "../outputs/registry.ts";
import { printable } from "../text/printable.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import type { Command } from "./command.ts";
import { exitWith } from "./exit.ts";
import { ProgressLine } from "./progress-line.ts";
import { configFlag } from "./run.ts";
import { signals } from "./signals.ts";

const megabyte = 1_000_000;

/** `loom geoip update`. A running Loom loads the files when they are in place. */
export const geoip: Command = {
  name: "geoip",
  usage: [
    {
      synopsis: "loom geoip update -config loom.toml",
      summary: "download the databases of [enrichment.update] now, if there are newer ones",
    },
  ],
  handlesSignals: true,
  run: runGeoip,
};

async function runGeoip(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArguments(args, configFlag, 1);
  const [action] = positionals;
  if (action === undefined) throw new UsageError("the action is missing: update");
  if (action !== "update") throw new UsageError(`"${action}" is not update`);
  const stop = new AbortController();
  signals.onStop(() => stop.abort());
  const config = await readUpdates(values.config);
  let isFailed = false;
  for (const update of config.databases)
    isFailed = !(await updateOne(update, config, stop.signal)) || isFailed;
  process.exit(isFailed ? 1 : 0);
}

async function readUpdates(path: string): Promise<UpdatesConfig> {
  try {
    const { update } = (await loadConfig(path, process.env, outputDescriptors)).enrichment;
    if (update.databases.length > 0) return update;
  } catch (error) {
    exitWith((error as Error).message);
  }
  exitWith("loom geoip update: [enrichment.update] has neither geoip nor asn");
}

/** @returns whether the database is the newest one now */
async function updateOne(
  update: DatabaseUpdate,
  servers: UpdatesConfig,
  signal: AbortSignal,
): Promise<boolean> {
  const [output, errors] = [createDescriptorWriter(1), createDescriptorWriter(2)];
  const source = describeSource(update.source);
  const title = `${update.role}: downloading ${source}`;
  const progress = new ProgressLine({ title, isTitleLogged: true, writer: errors });
  try {
    const outcome = await updateDatabase({
      update,
      servers,
      signal,
      onProgress: (now) => progress.show(() => bytesOf(now)),
    });
    await progress.clear();
    const line = `${update.role}: ${resultOf(outcome, update)}`;
    // The exit status says the same if nothing reads the line.
    await output.write(Buffer.from(`${printable(line)}\n`)).catch(() => {});
    return true;
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    await progress.clear();
    const line = `loom geoip update: ${update.role}: cannot update ${update.path} from ${source}: ${error.message}`;
    await errors.write(Buffer.from(`${printable(line)}\n`)).catch(() => {});
    return false;
  }
}

function resultOf({ kind, type, builtAt }: UpdateOutcome, { path }: DatabaseUpdate): string {
  const database = `${type} of ${new Date(builtAt).toISOString().slice(0, 10)}`;
  switch (kind) {
    case "updated":
      return `${path} is ${database} now; a running Loom loads it within 10 s`;
    case "current":
      return `${path} is up to date: ${database}`;
    case "older":
      return `${path} stays: the server has an older database than ${database}`;
  }
}

function bytesOf({ receivedBytes, totalBytes }: UpdateProgress): string {
  const share = totalBytes === undefined ? "" : `, ${Math.floor((100 * receivedBytes) / totalBytes)} %`;
  return `${(receivedBytes / megabyte).toFixed(1)} MB${share}`;
}
