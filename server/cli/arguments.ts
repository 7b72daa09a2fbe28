import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The arguments of a command are wrong. The message does not contain the values of flags. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Parses the arguments of a command. Flags have one dash, as in Go, or two; a value is the next argument or follows "=".
 * @param options the flags, as for `parseArgs` of `node:util`
 * @param maxPositionals how many arguments that are not flags are allowed
 * @throws UsageError for an unknown flag, a missing or empty value, or too many arguments
 */
export function parseArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  maxPositionals = 0,
) {
  return parseArgs({
    args: checkedArguments(args, options, maxPositionals),
    options,
    allowPositionals: true,
    strict: true,
  });
}

/**
 * Checks the arguments, and returns them in the form that `parseArgs` understands without doubt. Its own messages are long,
 * and show the values of flags.
 */
function checkedArguments(
  args: readonly string[],
  options: ParseArgsOptionsConfig,
  maxPositionals: number,
): string[] {
  const { tokens } = parseArgs({
    args: args.map((arg) => withTwoDashes(arg, options)),
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const flags: string[] = [];
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(args[token.index] ?? token.value);
    if (token.kind !== "option") continue;
    const flag = (args[token.index] ?? token.rawName).replace(/=.*/s, "");
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw new UsageError(`unknown flag "${flag}"`);
    if (option.type === "string" && !token.value) throw new UsageError(`${flag} needs a value`);
    if (option.type === "boolean" && token.value !== undefined)
      throw new UsageError(`${flag} does not take a value`);
    // A value that is an argument of its own, as it was before its dash was doubled.
    const value = token.inlineValue === false ? args[token.index + 1] : token.value;
    flags.push(value === undefined ? `--${token.name}` : `--${token.name}=${value}`);
  }
  const unexpected = positionals[maxPositionals];
  if (unexpected !== undefined) throw new UsageError(`unexpected argument "${unexpected}"`);
  return [...flags, "--", ...positionals];
}

/** `-config` as `--config`, for known flags. */
function withTwoDashes(arg: string, options: ParseArgsOptionsConfig): string {
  const name = /^-([a-z][a-z-]+)(?:=|$)/.exec(arg)?.[1];
  return name !== undefined && Object.hasOwn(options, name) ? `-${arg}` : arg;
}
