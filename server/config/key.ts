import type { TomlValue } from "smol-toml";
import type { Kind } from "./kind.ts";

/**
 * One key of the configuration file. Everything that errors, `loom example-config` and docs/configuration.md say about the
 * key comes from this value.
 */
export interface Key<T> {
  readonly kind: Kind<T>;
  /** The value when the key is not set. */
  readonly fallback: T | undefined;
  /** True: the output, or the table of an array of tables, that has the key cannot be used without it. */
  readonly isRequired: boolean;
  /** What the key does: whole sentences, for operators. */
  readonly description: string;
  /** The default in TOML; undefined if there is none. */
  readonly defaultText: string | undefined;
  /** The value in the example, in TOML: mostly the default, or for a key without one what an operator might write. */
  readonly example: string;
  /** True if the example sets the key, false if it is behind a "#". */
  readonly isSetInExample: boolean;
  /** The bounds in words; undefined if the description says all there is to say. */
  readonly range: string | undefined;
  /** The environment variable that overrides the file unless it is empty. */
  readonly environment: string | undefined;
}

/** Keys by name. */
export type Keys = Readonly<Record<string, Key<unknown>>>;

/** What a key is read as. */
export type ValueOf<K> = K extends Key<infer T> ? T : never;

export interface KeyOptions {
  /** Replaces the bounds of the kind when another key sets one of them. */
  readonly range?: string;
}

export interface DefaultKeyOptions extends KeyOptions {
  /** The value in the example, if that is not the default. */
  readonly example?: readonly string[];
}

export interface UnsetKeyOptions extends KeyOptions {
  /** A value in TOML for the example. */
  readonly example: string;
  readonly isSetInExample?: boolean;
  readonly environment?: string;
}

/** A key with a default, which is given as an operator would write it: a text, texts, an integer, or true or false. */
export function withDefault<T>(
  kind: Kind<T>,
  fallback: string | readonly string[] | number | boolean,
  description: string,
  options: DefaultKeyOptions = {},
): Key<T> {
  const value: TomlValue =
    typeof fallback === "number" ? BigInt(fallback) : typeof fallback === "object" ? [...fallback] : fallback;
  return {
    kind,
    fallback: kind.read(value, () => {
      throw new Error(`BUG: the default ${fallback} is not among the allowed values: ${kind.allowed}`);
    }),
    isRequired: false,
    description,
    defaultText: tomlOf(fallback),
    example: tomlOf(options.example ?? fallback),
    isSetInExample: true,
    range: options.range ?? kind.range,
    environment: undefined,
  };
}

/** A key without a default: undefined when it is not set. */
export function optional<T>(
  kind: Kind<T>,
  description: string,
  options: UnsetKeyOptions,
): Key<T | undefined> {
  return unsetKey<T | undefined>(kind, description, options, false);
}

/** A key that an output, or each table of an array of tables, cannot be used without. */
export function required<T>(kind: Kind<T>, description: string, options: UnsetKeyOptions): Key<T> {
  return unsetKey(kind, description, options, true);
}

function unsetKey<T>(
  kind: Kind<T>,
  description: string,
  { example, isSetInExample = false, environment, range = kind.range }: UnsetKeyOptions,
  isRequired: boolean,
): Key<T> {
  return {
    kind,
    fallback: undefined,
    isRequired,
    description,
    defaultText: undefined,
    example,
    isSetInExample,
    range,
    environment,
  };
}

function tomlOf(value: string | readonly string[] | number | boolean): string {
  return typeof value === "object"
    ? `[${value.map((item) => JSON.stringify(item)).join(", ")}]`
    : JSON.stringify(value);
}
