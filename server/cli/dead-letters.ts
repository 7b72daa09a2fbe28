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
  /** undefined: every output. */
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
    const config = await loadConfig(command.configPath, process.env, outputDescriptors);
    const { dir } = config.output.outbox;
    const snapshots = await readSnapshots(dir, command.output);
    await print(textOf(command, dir, snapshots));
    for (const snapshot of snapshots) await snapshot.close();
  } catch (error) {
    // The reader has stopped reading, as `head` does.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return;
    exitWith((error as Error).message);
  }
}

function textOf(
  command: DeadLettersCommand,
  dir: string,
  snapshots: readonly DeadLetterSnapshot[],
): AsyncGenerator<string> {
  switch (command.action) {
    case "list":
      return list(snapshots);
    case "show":
      return show(command, snapshots);
    case "retry":
    case "drop":
      return request(command.action, command, dir, snapshots);
  }
}

async function* list(snapshots: readonly DeadLetterSnapshot[]): AsyncGenerator<string> {
  const columns = (cells: readonly string[]) => {
    const [sequence = "", time = "", output = "", sensor = "", reason = ""] = cells;
    return `${sequence.padStart(12)}  ${time.padEnd(24)}  ${output.padEnd(14)}  ${sensor.padEnd(20)}  ${reason}\n`;
  };
  let records = 0;
  for (const snapshot of snapshots) {
    for (const sequence of snapshot.sequences) {
      if (records++ === 0) yield columns(["SEQUENCE", "REJECTED", "OUTPUT", "SENSOR", "REASON"]);
      const { event, time, reason } = await snapshot.read(sequence);
      const shown = printable(truncate(reason, maxListedReasonLength));
      const cells = [
        String(sequence),
        new Date(time).toISOString(),
        snapshot.output,
        printable(event.sensorId),
      ];
      yield columns([...cells, snapshot.isRetryPending(sequence) ? `(retry pending) ${shown}` : shown]);
    }
  }
  if (records === 0) yield "no dead letters\n";
  for (const { damagedLines, path } of snapshots)
    if (damagedLines > 0) yield `${path} has ${formatThings(damagedLines, "damaged line")}\n`;
}

async function* show(
  command: DeadLettersCommand,
  snapshots: readonly DeadLetterSnapshot[],
): AsyncGenerator<string> {
  for (const { snapshot, sequences } of chosen(command, snapshots)) {
    for (const sequence of sequences) {
      const { event, time, reason } = await snapshot.read(sequence);
      yield `sequence: ${sequence}\noutput:   ${snapshot.output}\nsensor:   ${printable(event.sensorId)}\n`;
      yield `received: ${new Date(event.receivedAt).toISOString()}\nrejected: ${new Date(time).toISOString()}\n`;
      yield `reason:   ${printable(reason)}\n`;
      if (snapshot.isRetryPending(sequence)) yield "retry:    pending\n";
      yield `event:    ${printable(event.document.toString("utf8"))}\n\n`;
    }
  }
}

async function* request(
  action: "retry" | "drop",
  command: DeadLettersCommand,
  dir: string,
  snapshots: readonly DeadLetterSnapshot[],
): AsyncGenerator<string> {
  const outcome = action === "retry" ? "retried" : "dropped";
  let isAnyChosen = false;
  for (const { snapshot, sequences } of chosen(command, snapshots)) {
    if (sequences.length === 0) continue;
    isAnyChosen = true;
    await writeRequest(dir, snapshot.output, action, sequences);
    const things = formatThings(sequences.length, "dead letter");
    yield `${snapshot.output}: ${things} will be ${outcome} within seconds, or at the next start of Loom\n`;
  }
  if (!isAnyChosen) yield "no dead letters\n";
}

/** The records that the command names, by output. @throws Error when no output has one of them; the command then does nothing */
function chosen(
  { sequences, isAll }: DeadLettersCommand,
  snapshots: readonly DeadLetterSnapshot[],
): readonly { readonly snapshot: DeadLetterSnapshot; readonly sequences: readonly number[] }[] {
  if (isAll) return snapshots.map((snapshot) => ({ snapshot, sequences: snapshot.sequences }));
  const missing = sequences.find((sequence) => !snapshots.some((snapshot) => snapshot.has(sequence)));
  if (missing !== undefined)
    throw new Error(
      `dead-letters: no dead letter has the sequence number ${missing}; "loom dead-letters list" lists all of them`,
    );
  return snapshots.map((snapshot) => ({ snapshot, sequences: sequences.filter(snapshot.has) }));
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
  if (word === "") throw new UsageError(`the action is missing: ${actions.join(", ")}`);
  if (action === undefined) throw new UsageError(`"${word}" is not one of ${actions.join(", ")}`);
  const names = outputDescriptors.map(({ name }) => name);
  if (values.output !== undefined && !names.includes(values.output))
    throw new UsageError(`there is no output "${values.output}", only ${names.join(", ")}`);
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

function formatThings(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
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
