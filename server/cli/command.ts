import { UsageError } from "./arguments.ts";
import { exitWith } from "./exit.ts";
import { signals } from "./signals.ts";

/** One form of a command, for `loom help`. */
export interface Usage {
  /** As it is typed: "loom schema clickhouse". */
  readonly synopsis: string;
  /** What it does, as an imperative without a full stop. */
  readonly summary: string;
  /** Its flags, each with what it does. */
  readonly flags?: readonly { readonly synopsis: string; readonly summary: string }[];
}

export interface Command {
  /** The word that chooses the command; undefined for the command that has no word. */
  readonly name: string | undefined;
  /** Other spellings of the word: "--version". */
  readonly aliases?: readonly string[];
  readonly usage: readonly Usage[];
  /** True: the command takes the signals from `signals`. Otherwise they end the process. */
  readonly handlesSignals?: boolean;
  /**
   * @param args the arguments after the command's name
   * @throws UsageError when the arguments are wrong
   */
  run(args: readonly string[]): void | Promise<void>;
}

/** Runs a command. Wrong arguments end the process with status 2 and one line on stderr. */
export async function runCommand(command: Command, args: readonly string[]): Promise<void> {
  if (!command.handlesSignals) signals.restoreDefaults();
  try {
    await command.run(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const name = command.name === undefined ? "loom" : `loom ${command.name}`;
    exitWith(`${name}: ${error.message}; see "loom help"`, 2);
  }
}
