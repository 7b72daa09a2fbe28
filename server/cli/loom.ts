// First, so that no signal is missed while the other modules are loaded.
import "./receive-signals.ts";
import { runCommand } from "./command.ts";
import { commands } from "./commands.ts";
import { exitWith } from "./exit.ts";
import { enlargeThreadPool } from "./thread-pool.ts";

/** Runs the command that the first argument names, or else the one without a name. Arguments never contain secrets. */
async function main(args: readonly string[]): Promise<void> {
  const [first, ...rest] = args;
  const named = commands.find(
    ({ name, aliases = [] }) => first !== undefined && (name === first || aliases.includes(first)),
  );
  if (named !== undefined) return runCommand(named, rest);
  if (first !== undefined && /^[^-]/.test(first))
    exitWith(`loom: unknown command "${first}"; see "loom help"`, 2);
  const unnamed = commands.find(({ name }) => name === undefined);
  if (unnamed === undefined) throw new Error("BUG: no command without a name");
  return runCommand(unnamed, args);
}

enlargeThreadPool();
await main(process.argv.slice(2));
