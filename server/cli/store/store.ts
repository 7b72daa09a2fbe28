import { UsageError } from "../arguments.ts";
import type { Command } from "../command.ts";
import { exitWith } from "../exit.ts";
import { signals } from "../signals.ts";
import { exportStore } from "./export.ts";
import { importStore } from "./import.ts";
import { prune } from "./prune.ts";
import { stats } from "./stats.ts";
import { verify } from "./verify.ts";

/** Each is one action of `loom store`. */
const actions = [stats, verify, exportStore, importStore, prune];
const names = actions.map(({ name }) => name).join(", ");

/** `loom store`: looks after the files of the output store. */
export const store: Command = {
  name: "store",
  usage: actions.flatMap(({ usage }) => usage),
  handlesSignals: true,
  run: runStore,
};

async function runStore([word = "", ...args]: readonly string[]): Promise<void> {
  const action = actions.find(({ name }) => name === word);
  if (word === "") throw new UsageError(`the action is missing: ${names}`);
  if (action === undefined) throw new UsageError(`"${word}" is not one of ${names}`);
  if (!action.handlesSignals) signals.restoreDefaults();
  try {
    await action.run(args);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${word}: ${error.message}`, { cause: error });
    // The reader has stopped reading, as `head` does.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") process.exit(0);
    exitWith((error as Error).message);
  }
}
