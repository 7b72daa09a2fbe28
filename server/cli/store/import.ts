import { statSync } from "node:fs";
import { sensorIdFault } from "../../config/sensors.ts";
import { DirectoryInUse } from "../../directory-lock.ts";
import { type LockedStore, lockStore } from "../../store/lock-store.ts";
import { CannotStore } from "../../store/store-errors.ts";
import type { StoreLocation } from "../../store/store-location.ts";
import { StoreWriter } from "../../store/store-writer.ts";
import { printable } from "../../text/printable.ts";
import { parseArguments, UsageError } from "../arguments.ts";
import type { Command } from "../command.ts";
import { ProgressLine } from "../progress-line.ts";
import { configFlag } from "../run.ts";
import { signals } from "../signals.ts";
import { assertOwner, type ConfiguredStore, configuredStore } from "./configured-store.ts";
import { Importer, type InvalidLine } from "./importer.ts";
import { readLines } from "./read-lines.ts";

/** Further lines that are invalid are only counted. */
const maxReportedLines = 20;
/** The longest line is the largest event that the configuration allows, with what enrichment adds; or this. */
const minLineLimitBytes = 16 * 1024 * 1024;
const enrichmentBytes = 1024 * 1024;

/** `loom store import`. It writes the store, so Loom must not run meanwhile. */
export const importStore: Command = {
  name: "import",
  usage: [
    {
      synopsis: "loom store import FILE… -config loom.toml",
      summary:
        'add the events of files ("-": stdin) with one JSON object a line, also gzip; the same file again adds them again. Loom must not run',
      flags: [{ synopsis: "-sensor ID", summary: "the sensor of events that have no observer.id" }],
    },
  ],
  handlesSignals: true,
  async run(args) {
    const options = { ...configFlag, sensor: { type: "string" } } as const;
    const { values, positionals } = parseArguments(args, options, Number.POSITIVE_INFINITY);
    if (positionals.length === 0) throw new UsageError('names no file; "-" is stdin');
    const fault = values.sensor === undefined ? undefined : sensorIdFault(values.sensor);
    if (fault !== undefined) throw new UsageError(`-sensor: ${fault}`);
    const stop = new AbortController();
    signals.onStop(() => stop.abort(new Error("stopped")));
    const store = await configuredStore(values.config);
    process.exit(await importFiles(store, positionals, values.sensor, stop.signal));
  },
};

/** @returns the exit status */
async function importFiles(
  { config, location }: ConfiguredStore,
  paths: readonly string[],
  sensorId: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  assertOwner(location.dir);
  const { lock, ...limits } = await lockForImport(location);
  const progress = new ProgressLine({ title: "importing", isTitleLogged: false });
  const report = new InvalidLines(progress);
  const writer = StoreWriter.open({
    ...limits,
    note: (_, message, fields) => progress.print(`${message}: ${printable(JSON.stringify(fields))}`),
  });
  const rules = { sensorId, maxDays: location.maxDays, now: Date.now() };
  const importer = new Importer(writer, rules, (line) => report.add(line));
  const maxLineBytes = Math.max(minLineLimitBytes, config.limits.maxEventSizeBytes + enrichmentBytes);
  try {
    for (const path of paths) {
      const onRead = showBytes(progress, path, importer);
      for await (const line of readLines({ path, maxLineBytes, signal, onRead })) importer.add(path, line);
    }
    importer.flush();
    progress.print(summaryOf(importer, location.maxDays));
    return importer.counts.invalidLines > 0 ? 1 : 0;
  } catch (error) {
    // What was read before a file turned out to be unreadable is as good as the rest.
    if (!signal.aborted && !(error instanceof CannotStore)) importer.flush();
    const { storedTo, counts } = importer;
    const stored =
      storedTo === undefined
        ? "nothing is imported"
        : `${counts.events} events, from the lines up to ${printable(storedTo)}, are imported and stay`;
    progress.print(`import: ${printable((error as Error).message)}; ${stored}`);
    return signal.aborted ? 130 : 1;
  } finally {
    await progress.clear();
    writer.close();
    lock.release();
  }
}

async function lockForImport(location: StoreLocation): Promise<LockedStore> {
  try {
    return await lockStore(location);
  } catch (error) {
    if (!(error instanceof DirectoryInUse)) throw error;
    throw new Error(`${error.message}; stop it before the import`, { cause: error });
  }
}

function showBytes(progress: ProgressLine, path: string, { counts }: Importer): (bytes: number) => void {
  const size = path === "-" ? 0 : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  let readBytes = 0;
  return (bytes) => {
    readBytes += bytes;
    progress.show(() => {
      const share =
        size > 0 ? `${Math.min(100, Math.floor((readBytes / size) * 100))} %` : `${readBytes} bytes`;
      return `${printable(path)}, ${share}, ${counts.events} events`;
    });
  };
}

/** Writes which lines are invalid, as far as they are not too many. */
class InvalidLines {
  readonly #progress: ProgressLine;
  #count = 0;

  constructor(progress: ProgressLine) {
    this.#progress = progress;
  }

  add({ path, number, reason }: InvalidLine): void {
    this.#count++;
    if (this.#count <= maxReportedLines)
      this.#progress.print(`${printable(path)}:${number}: the line is skipped: ${reason}`);
    else if (this.#count === maxReportedLines + 1)
      this.#progress.print("further invalid lines are only counted");
  }
}

function summaryOf({ counts }: Importer, maxDays: number): string {
  const notes = [`${counts.events} events are imported`];
  if (counts.withoutTime > 0)
    notes.push(`${counts.withoutTime} of them have no possible @timestamp, and got the time of the import`);
  if (counts.expiredLines > 0)
    notes.push(
      `${counts.expiredLines} lines are skipped, because their events are older than store_max_days (${maxDays})`,
    );
  if (counts.invalidLines > 0)
    notes.push(`${counts.invalidLines} lines are skipped, because they are invalid`);
  return notes.join("; ");
}
