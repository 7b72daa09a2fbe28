import type { DatabaseUpdate, UpdatesConfig } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import { createDescriptorWriter, type DescriptorWriter } from "../descriptor-writer.ts";
import { describeSource } from "../enrich/update/download-targets.ts";
import { type UpdateOutcome, type UpdateProgress, updateDatabase } from "../enrich/update/update-database.ts";
import { UpdateError } from "../enrich/update/update-error.ts";
import { outputDescriptors } from "../outputs/registry.ts";
import { printable } from "../text/printable.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import type { Command } from "./command.ts";
import { exitWith } from "./exit.ts";
import { configFlag } from "./run.ts";
import { signals } from "./signals.ts";

/** How often the progress on a terminal is written. */
const progressIntervalMs = 100;
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
  const progress = new ProgressLine(errors, `${update.role}: downloading ${source}`);
  try {
    const outcome = await updateDatabase({
      update,
      servers,
      signal,
      onProgress: (now) => progress.show(now),
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

/** One line, which is written again with the number of bytes if stderr is a terminal. */
class ProgressLine {
  readonly #writer: DescriptorWriter;
  readonly #title: string;
  readonly #isTerminal = process.stderr.isTTY === true;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(writer: DescriptorWriter, title: string) {
    this.#writer = writer;
    this.#title = title;
  }

  show({ receivedBytes, totalBytes }: UpdateProgress): void {
    const isFirst = this.#shownAt === Number.NEGATIVE_INFINITY;
    if (performance.now() - this.#shownAt < progressIntervalMs) return;
    this.#shownAt = performance.now();
    if (!this.#isTerminal) {
      if (isFirst) this.#write(`${this.#title}\n`);
      return;
    }
    const share = totalBytes === undefined ? "" : `, ${Math.floor((100 * receivedBytes) / totalBytes)} %`;
    this.#writeLine(`${this.#title}: ${(receivedBytes / megabyte).toFixed(1)} MB${share}`);
  }

  async clear(): Promise<void> {
    if (this.#isTerminal && this.#shownAt > Number.NEGATIVE_INFINITY) this.#writeLine("");
    await this.#writer.idle();
  }

  /** Carriage return, the text, and "erase to the end of the line". */
  #writeLine(text: string): void {
    this.#write(`\r${text}\u001b[K`);
  }

  #write(text: string): void {
    // If stderr is closed, there is nowhere left to report it.
    this.#writer.write(Buffer.from(text)).catch(() => {});
  }
}
