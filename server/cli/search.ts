import { loadConfig } from "../config/load-config.ts";
import { createDescriptorWriter } from "../descriptor-writer.ts";
import {
  type CsvColumnName,
  csvColumnNames,
  csvFormat,
  defaultCsvColumns,
  isCsvColumnName,
  ndjsonFormat,
} from "../history/export-formats.ts";
import { type HistoryReader, HistoryUnavailable, type Progress } from "../history/history-reader.ts";
import { isReader, openHistory } from "../outputs/open-history.ts";
import { outputDescriptors } from "../outputs/registry.ts";
import { parseQuery } from "../query/parse-query.ts";
import type { Query } from "../query/query.ts";
import { queryErrorText } from "../query/query-error.ts";
import { createLog } from "../telemetry/log.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import type { Command } from "./command.ts";
import { exitWith } from "./exit.ts";
import { ProgressLine } from "./progress-line.ts";
import { configFlag } from "./run.ts";
import { defaultTableColumns, tableOf } from "./search-table.ts";
import { signals } from "./signals.ts";

const formats = ["table", "ndjson", "csv"] as const;
const defaultTableLimit = 100;
const maxLimit = 1_000_000_000;
/** A search in a terminal may take longer than one in the page: Ctrl-C ends it. */
const deadlineMs = 3_600_000;

interface SearchCommand {
  readonly configPath: string;
  readonly query: Query;
  readonly format: (typeof formats)[number];
  readonly columns: readonly CsvColumnName[] | undefined;
  /** undefined: no limit. */
  readonly limit: number | undefined;
}

/** `loom search`. It reads the files of the store, also beside the Loom that writes them. */
export const search: Command = {
  name: "search",
  usage: [
    {
      synopsis: "loom search QUERY -config loom.toml",
      summary: 'print stored events, for example: loom search "port:22 since:24h"',
      flags: [
        {
          synopsis: "-format table|ndjson|csv",
          summary: "table is the default on a terminal, ndjson elsewhere",
        },
        { synopsis: "-columns NAME,NAME", summary: `columns of table and csv: ${csvColumnNames.join(", ")}` },
        { synopsis: "-limit N", summary: "print N events; a table has 100 by default" },
      ],
    },
  ],
  handlesSignals: true,
  run: runSearch,
};

async function runSearch(args: readonly string[]): Promise<void> {
  const command = commandOf(args);
  const stop = new AbortController();
  signals.onStop(() => stop.abort(new Error("stopped")));
  const progress = new ProgressLine({ title: "searching", isTitleLogged: false });
  try {
    const history = await openConfigured(command.configPath);
    await print(history, command, {
      signal: stop.signal,
      onProgress: (now) => progress.show(() => textOf(now)),
    });
    await progress.clear();
    await history.close();
  } catch (error) {
    await progress.clear();
    // The reader has stopped reading, as `head` does.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") process.exit(0);
    if (stop.signal.aborted) process.exit(130);
    exitWith(`${error instanceof HistoryUnavailable ? "loom search: " : ""}${(error as Error).message}`);
  }
  process.exit(0);
}

/** @throws HistoryUnavailable if nothing can be searched; Error if the configuration is wrong */
async function openConfigured(path: string): Promise<HistoryReader> {
  const config = await loadConfig(path, process.env, outputDescriptors);
  const history = openHistory(config, { log: createLog(config.logging), isConcurrent: false });
  if (!isReader(history)) throw new HistoryUnavailable(history.unavailable);
  return history;
}

interface Running {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

async function print(history: HistoryReader, command: SearchCommand, running: Running): Promise<void> {
  const writer = createDescriptorWriter(1);
  const { query, format, columns, limit } = command;
  if (format === "table") {
    const page = { limit: limit ?? defaultTableLimit };
    const answer = await history.events(query, page, { ...running, deadlineMs });
    await writer.write(Buffer.from(tableOf(answer.events, columns ?? defaultTableColumns)));
    const more = answer.cursor === undefined ? "" : "; there are older ones: -limit prints more";
    const notes = [`${answer.events.length} events${more}`];
    if (answer.damagedEvents > 0) notes.push(`${answer.damagedEvents} damaged events could not be searched`);
    await createDescriptorWriter(2).write(Buffer.from(notes.map((note) => `${note}\n`).join("")));
    return;
  }
  const encoder = format === "ndjson" ? ndjsonFormat : csvFormat(columns ?? defaultCsvColumns);
  await writer.write(Buffer.from(encoder.head));
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const events of history.export(query, running)) {
    await writer.write(Buffer.from(encoder.encode(events.slice(0, left))));
    left -= events.length;
    if (left <= 0) return;
  }
}

function textOf({ share, searchedBackTo }: Progress): string {
  const at = searchedBackTo === undefined ? "" : `, at ${new Date(searchedBackTo).toISOString()}`;
  return `${Math.floor(share * 100)} %${at}`;
}

function commandOf(args: readonly string[]): SearchCommand {
  const options = {
    ...configFlag,
    format: { type: "string" },
    columns: { type: "string" },
    limit: { type: "string" },
  } as const;
  const { flags, words } = splitArguments(args, Object.keys(options));
  const { values } = parseArguments(flags, options);
  const query = parseQuery(words.join(" "), { now: Date.now() });
  if (query.kind === "refused") throw new UsageError(queryErrorText(query.refusal));
  const format = values.format ?? (process.stdout.isTTY ? "table" : "ndjson");
  const known = formats.find((name) => name === format);
  if (!known) throw new UsageError(`-format "${format}" is not one of ${formats.join(", ")}`);
  if (known === "ndjson" && values.columns !== undefined)
    throw new UsageError("-columns is for table and csv; ndjson has whole documents");
  return {
    configPath: values.config,
    query: query.value,
    format: known,
    columns: values.columns === undefined ? undefined : columnsOf(values.columns),
    limit: values.limit === undefined ? undefined : limitOf(values.limit),
  };
}

/** Separates flags and their values from the query, which may begin with a minus sign: `-port:22`. */
function splitArguments(args: readonly string[], names: readonly string[]) {
  const flags: string[] = [];
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const [, name, value] = /^--?([a-z]+)(=.*)?$/s.exec(arg) ?? [];
    if (name === undefined || !names.includes(name)) words.push(arg);
    else if (value !== undefined || i + 1 === args.length) flags.push(arg);
    else flags.push(`${arg}=${args[++i]}`);
  }
  return { flags, words };
}

function columnsOf(list: string): CsvColumnName[] {
  return list.split(",").map((name) => {
    if (!isCsvColumnName(name))
      throw new UsageError(`there is no column "${name}", only ${csvColumnNames.join(", ")}`);
    return name;
  });
}

function limitOf(text: string): number {
  const limit = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit <= maxLimit)) throw new UsageError(`-limit "${text}" is not an integer from 1 to ${maxLimit}`);
  return limit;
}
