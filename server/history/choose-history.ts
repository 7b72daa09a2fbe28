import { accepted, type Result, refused } from "../result.ts";

/** An output, as far as the choice depends on it. */
export interface HistorySource {
  readonly name: string;
  /** Undefined: Loom cannot read what the output has stored. */
  readonly openHistory: unknown;
}

/** The value of `dashboard.history` that switches the history off. */
export const historyOff = "off";

/**
 * Chooses the output of which the dashboard, the API and the command line read the history.
 * @param setting `dashboard.history`: the name of an output, or "off"; undefined: the first output that can be read
 * @param outputs those of `output.type`, in the same order
 * @returns undefined if there is no history; refused if the setting does not fit the outputs
 */
export function chooseHistory<Source extends HistorySource>(
  setting: string | undefined,
  outputs: readonly Source[],
): Result<Source | undefined, string> {
  if (setting === historyOff) return accepted(undefined);
  const readable = outputs.filter(({ openHistory }) => openHistory !== undefined);
  if (setting === undefined) return accepted(readable[0]);
  const chosen = readable.find(({ name }) => name === setting);
  if (chosen) return accepted(chosen);
  const names = readable.map(({ name }) => `"${name}"`).join(", ");
  const found =
    names === "" ? "none whose events can be searched" : `only ${names} among those that can be searched`;
  return refused(`history = "${setting}": output.type has ${found}`);
}
