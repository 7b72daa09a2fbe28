import type { Keys } from "./key.ts";
import type { KeyValues } from "./typed-values.ts";

/** What the configuration has to know of an output that `output.type` may name. */
export interface OutputKind<Configured> {
  /** As in `output.type`. */
  readonly name: string;
  /** A sentence about the output as a whole, for the documentation of its keys. */
  readonly description: string;
  /** Its keys in `[output]`. */
  readonly keys: Keys;
  /** False: the output alone can keep events, so that it works without the outbox. */
  readonly needsOutbox: boolean;
  /** Whether the `output.type` of the example names it. */
  readonly isInExample: boolean;
  /**
   * Called only for an output that `output.type` names, with the value of each of its keys. Required keys are set.
   * @throws ConfigError when the keys contradict each other
   */
  configure(values: KeyValues): Configured;
}
