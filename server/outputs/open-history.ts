import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import { chooseHistory, historyOff } from "../history/choose-history.ts";
import type { HistoryReader } from "../history/history-reader.ts";

/** A reader of stored events, or why there is none: a text for people. */
export type History = HistoryReader | { readonly unavailable: string };

interface ReadableOutput<Context> {
  readonly name: string;
  readonly openHistory: ((context: Context) => HistoryReader) | undefined;
}

/**
 * Opens the history that the configuration chooses.
 * @throws ConfigError if `dashboard.history` does not fit the outputs
 */
export function openHistory<Context>(
  { dashboard, output }: Pick<Config<ReadableOutput<Context>>, "dashboard" | "output">,
  context: Context,
): History {
  const chosen = chooseHistory(dashboard.history, output.outputs);
  if (chosen.kind === "refused") throw new ConfigError(`config: dashboard: ${chosen.refusal}`);
  if (chosen.value?.openHistory) return chosen.value.openHistory(context);
  return {
    unavailable:
      dashboard.history === historyOff
        ? 'there is no history here, because the configuration has history = "off" in [dashboard]'
        : 'there is no history here: output.type has no output whose events can be searched; add "store"',
  };
}

export function isReader(history: History): history is HistoryReader {
  return !("unavailable" in history);
}
