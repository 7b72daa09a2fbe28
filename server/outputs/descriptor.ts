import type { Keys } from "../config/key.ts";
import type { OutputKind } from "../config/output-kind.ts";
import { type SettingsOf, settingsOf } from "../config/typed-values.ts";
import type { HistoryReader } from "../history/history-reader.ts";
import type { StoreLocation } from "../store/store-location.ts";
import type { Log } from "../telemetry/log.ts";
import type { Output } from "./output.ts";

/** What an output gets when it is created. */
export interface OutputContext {
  readonly log: Log;
  /** To be called once when the output can never be used again, so that the process has to end. */
  readonly onFatal: (error: Error) => void;
}

/** An output with its checked settings. */
export interface ConfiguredOutput {
  readonly name: string;
  readonly isBuilt: boolean;
  readonly needsOutbox: boolean;
  /** @throws Error when a file that the settings name cannot be used */
  create(context: OutputContext): Output | Promise<Output>;
  /** Reads what the output has stored; undefined: Loom cannot read this output. */
  readonly openHistory: ((context: HistoryContext) => HistoryReader) | undefined;
  /** The store that the output writes, for the commands that manage it; undefined: it does not write one. */
  readonly storeLocation: StoreLocation | undefined;
}

/** What a reader of the history gets when it is created. */
export interface HistoryContext extends Pick<OutputContext, "log"> {
  /** True: the history is read in a process that does other things meanwhile. False: it may use the whole thread. */
  readonly isConcurrent: boolean;
}

/** What `loom schema <output>` prints. */
export interface OutputSchema {
  /** What it is, for `loom help`: "the table for ClickHouse". */
  readonly title: string;
  /** The schema for the default names, to be given to the server's own tools. */
  text(): string;
}

/** Everything that the rest of Loom has to know of an output. */
export interface OutputDescriptor extends OutputKind<ConfiguredOutput> {
  /** Its name as its makers write it. */
  readonly title: string;
  /** False: the keys are checked, but this version cannot deliver to it. */
  readonly isBuilt: boolean;
  readonly schema: OutputSchema | undefined;
}

interface Definition<Name extends string, K extends Keys> {
  readonly name: Name;
  readonly title: string;
  readonly description: string;
  /** The output's keys in `[output]`, with their whole names: `<name>_url`. */
  readonly keys: K;
  /** Default: true. */
  readonly needsOutbox?: boolean;
  /** Whether the example configuration uses it. Default: false. */
  readonly isInExample?: boolean;
  readonly schema?: OutputSchema;
  /** Checks keys against each other. @throws ConfigError */
  check?(settings: SettingsOf<Name, K>): void;
}

interface BuiltDefinition<Name extends string, K extends Keys> extends Definition<Name, K> {
  /** @param settings the values of the keys without the output's name: `clickhouse_create_table` is `createTable` */
  create(settings: SettingsOf<Name, K>, context: OutputContext): Output | Promise<Output>;
  /** Creates a reader of what the output has stored; it connects when it is asked. */
  openHistory?(settings: SettingsOf<Name, K>, context: HistoryContext): HistoryReader;
  storeLocation?(settings: SettingsOf<Name, K>): StoreLocation;
}

/** Describes an output. Its settings have the types of its keys within the definition, and are hidden outside it. */
export function defineOutput<const Name extends string, const K extends Keys>(
  definition: BuiltDefinition<Name, K>,
): OutputDescriptor {
  return describe(definition, true, definition);
}

/** Describes an output whose keys are known, so that a configuration file may have them, but which does not exist yet. */
export function defineUnbuiltOutput<const Name extends string, const K extends Keys>(
  definition: Definition<Name, K>,
): OutputDescriptor {
  return describe(definition, false, {
    create() {
      throw new Error(`BUG: the output ${definition.name} is not built and cannot be created`);
    },
  });
}

function describe<Name extends string, K extends Keys>(
  definition: Definition<Name, K>,
  isBuilt: boolean,
  {
    create,
    openHistory,
    storeLocation,
  }: Pick<BuiltDefinition<Name, K>, "create" | "openHistory" | "storeLocation">,
): OutputDescriptor {
  const {
    name,
    title,
    description,
    keys,
    needsOutbox = true,
    isInExample = false,
    schema,
    check,
  } = definition;
  return {
    name,
    title,
    description,
    keys,
    isBuilt,
    needsOutbox,
    isInExample,
    schema,
    configure(values) {
      const settings = settingsOf(name, keys, values);
      check?.(settings);
      return {
        name,
        isBuilt,
        needsOutbox,
        create: (context) => create(settings, context),
        openHistory: openHistory && ((context) => openHistory(settings, context)),
        storeLocation: storeLocation?.(settings),
      };
    },
  };
}
