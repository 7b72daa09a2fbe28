import { loadConfig } from "../config/load-config.ts";
import { createDescriptorWriter } from "../descriptor-writer.ts";
import { isSequence } from "../outputs/dead-letters/record.ts";
import { writeRequest } from "../outputs/dead-letters/requests.ts";
import { type DeadLetterSnapshot, readSnapshots } from "../outputs/dead-letters/snapshot.ts";
import { outputDescriptors } from "../outputs/registry.ts";
import { printable } from "../text/printable.ts";
import { truncate } from "../text/truncate.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import type { Command } from "./command.ts";
import { exitWith } from "./exit.ts";
import { configFlag } from "./run.ts";

const actions = ["list", "show", "retry", "drop"] as const;

interface DeadLettersCommand {
  readonly action: (typeof actions)[number];
  readonly configPath: string;
  /** undefined: every output's. */
  readonly output: string | undefined;
  readonly sequences: readonly number[];
  readonly isAll: boolean;
}

const synopsis = "loom dead-letters list|show|retry|drop -config loom.toml [--output NAME] [SEQUENCE…|--all]";

const maxListedReasonLength = 80;
/** Lines are collected up to about this length before they are written. */
const chunkLength = 64 * 1024;

/**
 * `loom dead-letters`. It only reads the dead letters. retry and drop write a request for the process that delivers, which
 * serves it within seconds or at its next start.
 */
export const deadLetters: Command = {
  name: "dead-letters",
  usage: [{ synopsis, summary: "list, show, resend or delete events that an output rejected" }],
  run: runDeadLetters,
};

async function runDeadLetters(args: readonly string[]): Promise<void> {
  const command = parseCommand(args);
  try {
    const { dir } = loadConfig(command.configPath, process.env, outputDescriptors).output.outbox;
    const views = await readSnapshots(dir, command.output);
    await print(textOf(command, dir, views));
    for (const view of views) await view.close();
  } catch (error) {
    // The reader has stopped reading, as `head` does.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return;
    exitWith((error as Error).message);
  }
}

function textOf(
  command: DeadLettersCommand,
  dir: string,
  views: readonly DeadLetterSnapshot[],
): AsyncGenerator<string> {
  switch (command.action) {
    case "list":
      return list(views);
    case "show":
      return show(command, views);
    case "retry":
    case "drop":
      return request(command.action, command, dir, views);
  }
}

async function* list(views: readonly DeadLetterSnapshot[]): AsyncGenerator<string> {
  const columns = (cells: readonly string[]) => {
    const [sequence = "", time = "", output = "", sensor = "", reason = ""] = cells;
    return `${sequence.padStart(12)}  ${time.padEnd(24)}  ${output.padEnd(14)}  ${sensor.padEnd(20)}  ${reason}\n`;
  };
  let letters = 0;
  for (const view of views) {
    for (const sequence of view.sequences) {
      if (letters++ === 0) yield columns(["SEQUENCE", "REFUSED", "OUTPUT", "SENSOR", "REASON"]);
      const { event, time, reason } = await view.read(sequence);
      const shown = printable(truncate(reason, maxListedReasonLength));
      const cells = [String(sequence), new Date(time).toISOString(), view.output, printable(event.sensorId)];
      yield columns([...cells, view.isRetryPending(sequence) ? `(to be sent again) ${shown}` : shown]);
    }
  }
  if (letters === 0) yield "no dead letters\n";
  for (const { damagedLines, path } of views)
    if (damagedLines > 0) yield `${damagedLines} damaged lines are left in ${path}\n`;
}

async function* show(
  command: DeadLettersCommand,
  views: readonly DeadLetterSnapshot[],
): AsyncGenerator<string> {
  for (const { view, sequences } of chosen(command, views)) {
    for (const sequence of sequences) {
      const { event, time, reason } = await view.read(sequence);
      yield `sequence: ${sequence}\noutput:   ${view.output}\nsensor:   ${printable(event.sensorId)}\n`;
      yield `received: ${new Date(event.receivedAt).toISOString()}\nrefused:  ${new Date(time).toISOString()}\n`;
      yield `reason:   ${printable(reason)}\n`;
      if (view.isRetryPending(sequence)) yield "asked for: to be sent again\n";
      yield `event:    ${printable(event.document.toString("utf8"))}\n\n`;
    }
  }
}

async function* request(
  action: "retry" | "drop",
  command: DeadLettersCommand,
  dir: string,
  views: readonly DeadLetterSnapshot[],
): AsyncGenerator<string> {
  const done = action === "retry" ? "sent again" : "dropped";
  let isAnyChosen = false;
  for (const { view, sequences } of chosen(command, views)) {
    if (sequences.length === 0) continue;
    isAnyChosen = true;
    await writeRequest(dir, view.output, action, sequences);
    const subject = sequences.length === 1 ? "dead letter is" : "dead letters are";
    yield `${view.output}: ${sequences.length} ${subject} to be ${done}, in a few seconds if Loom runs, or at its next start\n`;
  }
  if (!isAnyChosen) yield "no dead letters\n";
}

/** What the command names, by output. @throws Error when one of them is nowhere: then nothing is done at all */
function chosen(
  { sequences, isAll }: DeadLettersCommand,
  views: readonly DeadLetterSnapshot[],
): readonly { readonly view: DeadLetterSnapshot; readonly sequences: readonly number[] }[] {
  if (isAll) return views.map((view) => ({ view, sequences: view.sequences }));
  const missing = sequences.find((sequence) => !views.some((view) => view.has(sequence)));
  if (missing !== undefined)
    throw new Error(`dead-letters: there is no dead letter ${missing}; "loom dead-letters list" shows them`);
  return views.map((view) => ({ view, sequences: sequences.filter(view.has) }));
}

function parseCommand(args: readonly string[]): DeadLettersCommand {
  try {
    return commandOf(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}; usage: ${synopsis}`);
  }
}

function commandOf(args: readonly string[]): DeadLettersCommand {
  const options = {
    ...configFlag,
    output: { type: "string" },
    all: { type: "boolean", default: false },
  } as const;
  const { values, positionals } = parseArguments(args, options, Number.POSITIVE_INFINITY);
  const [word = "", ...numbers] = positionals;
  const action = actions.find((candidate) => candidate === word);
  if (action === undefined) throw new UsageError(`"${word}" is not one of ${actions.join(", ")}`);
  const sequences = [...new Set(numbers.map(sequenceOf))].sort((a, b) => a - b);
  const isAnyNamed = values.all || sequences.length > 0;
  if (action === "list" && isAnyNamed) throw new UsageError("list does not take sequence numbers");
  if (action !== "list" && !isAnyNamed) throw new UsageError(`${action} needs sequence numbers or --all`);
  if (values.all && sequences.length > 0)
    throw new UsageError("sequence numbers and --all exclude each other");
  return { action, configPath: values.config, output: values.output, sequences, isAll: values.all };
}

function sequenceOf(word: string): number {
  const sequence = /^\d{1,16}$/.test(word) ? Number(word) : -1;
  if (!isSequence(sequence)) throw new UsageError(`"${word}" is not a sequence number`);
  return sequence;
}

async function print(texts: AsyncGenerator<string>): Promise<void> {
  const writer = createDescriptorWriter(1);
  let chunk = "";
  for await (const text of texts) {
    chunk += text;
    if (chunk.length < chunkLength) continue;
    await writer.write(Buffer.from(chunk));
    chunk = "";
  }
  await writer.write(Buffer.from(chunk));
}
