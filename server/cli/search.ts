import { loadConfig } from "../config/load-config.ts";
import { createDescriptorWriter } from "../descriptor-writer.ts";
import { type CsvColumnName, csvColumnNames } from "../history/export-formats.ts";
import { type HistoryReader, HistoryUnavailable } from "../history/history-reader.ts";
import { isReader, openHistory } from "../outputs/open-history.ts";
import { outputDescriptors } from "../outputs/registry.ts";
import type { Query } from "../query/query.ts";
import { createLog } from "../telemetry/log.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import type { Command } from "./command.ts";
import { columnsOf, queryOf, splitArguments } from "./query-arguments.ts";
import { type Running, readHistory, writeEvents } from "./read-history.ts";
import { configFlag } from "./run.ts";
import { defaultTableColumns, tableOf } from "./search-table.ts";

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
  await readHistory(
    { title: "searching", name: "loom search" },
    () => openConfigured(command.configPath),
    (history, running) => {
      const { format } = command;
      return format === "table"
        ? writeTable(history, command, running)
        : writeEvents(history, { ...command, format }, running);
    },
  );
}

/** @throws HistoryUnavailable if nothing can be searched; Error if the configuration is wrong */
async function openConfigured(path: string): Promise<HistoryReader> {
  const config = await loadConfig(path, process.env, outputDescriptors);
  const history = openHistory(config, { log: createLog(config.logging), isConcurrent: false });
  if (!isReader(history)) throw new HistoryUnavailable(history.unavailable);
  return history;
}

async function writeTable(history: HistoryReader, command: SearchCommand, running: Running): Promise<void> {
  const { query, columns, limit } = command;
  const page = { limit: limit ?? defaultTableLimit };
  const answer = await history.events(query, page, { ...running, deadlineMs });
  const table = tableOf(answer.events, columns ?? defaultTableColumns);
  await createDescriptorWriter(1).write(Buffer.from(table));
  const more = answer.cursor === undefined ? "" : "; there are older ones: -limit prints more";
  const notes = [`${answer.events.length} events${more}`];
  if (answer.damagedEvents > 0) notes.push(`${answer.damagedEvents} damaged events could not be searched`);
  await createDescriptorWriter(2).write(Buffer.from(notes.map((note) => `${note}\n`).join("")));
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
  const query = queryOf(words);
  const format = values.format ?? (process.stdout.isTTY ? "table" : "ndjson");
  const known = formats.find((name) => name === format);
  if (!known) throw new UsageError(`-format "${format}" is not one of ${formats.join(", ")}`);
  if (known === "ndjson" && values.columns !== undefined)
    throw new UsageError("-columns is for table and csv; ndjson has whole documents");
  return {
    configPath: values.config,
    query,
    format: known,
    columns: values.columns === undefined ? undefined : columnsOf(values.columns),
    limit: values.limit === undefined ? undefined : limitOf(values.limit),
  };
}

function limitOf(text: string): number {
  const limit = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit <= maxLimit)) throw new UsageError(`-limit "${text}" is not an integer from 1 to ${maxLimit}`);
  return limit;
}
