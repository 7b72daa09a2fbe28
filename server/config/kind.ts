import type { TomlValue } from "smol-toml";
import { codePointEscape, escapeUnsafe } from "../text/printable.ts";
import { truncate } from "../text/truncate.ts";

/** Stops reading a value with an error; `reason` is added when "allowed" alone does not explain it. */
export type Refuse = (reason?: string) => never;

/** The values that a key can have. The reader knows section and key, and builds the line of the error. */
export interface Kind<T> {
  /** Follows "allowed: " in an error. */
  readonly allowed: string;
  /** Integers arrive as bigint, floats as number. */
  readonly read: (value: TomlValue, refuse: Refuse) => T;
  /** How a refused value is printed; a kind that may hold a secret prints less. */
  readonly show: (value: TomlValue) => string;
  /** The bounds or choices for the documentation: "1 to 100"; undefined if a description has to say it. */
  readonly range?: string;
  /** The values that mean "not set", as the Go program of the same name takes them: 0 for a number, "" for a text. */
  readonly unset?: TomlValue;
}

export const flag: Kind<boolean> = {
  allowed: "true or false",
  read: (value, refuse) => (typeof value === "boolean" ? value : refuse()),
  show: showValue,
};

/** An integer from `min` to `max`, both safe integers. */
export function integer({ min, max }: { readonly min: number; readonly max: number }): Kind<number> {
  return {
    allowed: `an integer from ${min} to ${max}`,
    read: (value, refuse) => {
      if (typeof value !== "bigint" || value < BigInt(min) || value > BigInt(max)) return refuse();
      return Number(value);
    },
    show: showValue,
    range: `${min} to ${max}`,
    ...(min > 0 && { unset: 0n }),
  };
}

/** An integer from 1 to `max`, or -1, which switches the limit off and is read as undefined. */
export function limit({ max }: { readonly max: number }): Kind<number | undefined> {
  const positive = integer({ min: 1, max });
  return {
    allowed: `${positive.allowed}, or -1, which switches it off`,
    read: (value, refuse) => (value === -1n ? undefined : positive.read(value, refuse)),
    show: showValue,
    range: `1 to ${max}; -1: no limit`,
    unset: 0n,
  };
}

/** An integer from 1 to `max`, or -1, which is read as `max`: for limits that memory needs in any case. */
export function sizeLimit({ max }: { readonly max: number }): Kind<number> {
  const positive = integer({ min: 1, max });
  return {
    allowed: `${positive.allowed}, or -1, which means ${max}`,
    read: (value, refuse) => (value === -1n ? max : positive.read(value, refuse)),
    show: showValue,
    range: `1 to ${max}; -1: ${max}`,
    unset: 0n,
  };
}

/**
 * One of some texts.
 * @param aliases other spellings, in lower case, and what they are read as; with them, the case does not matter
 */
export function choice<const T extends string>(
  values: readonly T[],
  aliases?: Readonly<Record<string, NoInfer<T>>>,
): Kind<T> {
  const allowed = values.map((value) => `"${value}"`).join(", ");
  return {
    allowed,
    read: (value, refuse) => {
      const text = aliases && typeof value === "string" ? value.toLowerCase() : value;
      const alias =
        typeof text === "string" && aliases && Object.hasOwn(aliases, text) ? aliases[text] : text;
      return values.find((allowed) => allowed === alias) ?? refuse();
    },
    show: showValue,
    range: allowed,
    unset: "",
  };
}

/** Text that `read` checks and may convert. */
export function text<T>(
  allowed: string,
  read: (text: string, refuse: Refuse) => T,
  show: (value: TomlValue) => string = showValue,
): Kind<T> {
  return {
    allowed,
    read: (value, refuse) => (typeof value === "string" ? read(value, refuse) : refuse()),
    show,
    unset: "",
  };
}

/** Text that matches a pattern, unchanged. */
export function textLike(
  allowed: string,
  pattern: RegExp,
  show: (value: TomlValue) => string = showValue,
): Kind<string> {
  return text(allowed, (value, refuse) => (pattern.test(value) ? value : refuse()), show);
}

/** A list of 1 to `maxItems` values of another kind. */
export function listOf<T>(kind: Kind<T>, maxItems: number): Kind<readonly T[]> {
  return {
    allowed: `a list of 1 to ${maxItems} strings, each ${kind.allowed}`,
    read: (value, refuse) => {
      if (!Array.isArray(value) || value.length === 0 || value.length > maxItems) return refuse();
      return value.map((item) =>
        kind.read(item, (reason) =>
          refuse(`item ${kind.show(item)}${reason === undefined ? "" : `: ${reason}`}`),
        ),
      );
    },
    show: showValue,
    unset: "",
  };
}

/** One value, or a list of 1 to `maxItems` different ones; always read as a list. */
export function oneOrMore<T>(kind: Kind<T>, maxItems: number): Kind<readonly T[]> {
  const list = listOf(kind, maxItems);
  return {
    allowed: `one, or a list, of ${kind.allowed}`,
    read: (value, refuse) => {
      const items = Array.isArray(value) ? list.read(value, refuse) : [kind.read(value, refuse)];
      return new Set(items).size === items.length ? items : refuse("it has the same value twice");
    },
    show: (value) => (Array.isArray(value) ? list.show(value) : kind.show(value)),
    ...(kind.range !== undefined && { range: kind.range }),
    ...(kind.unset !== undefined && { unset: kind.unset }),
  };
}

/** Without control characters: they would be a mistake, and would break the single line of an error. */
export const path: Kind<string> = textLike("a path", /^[^\p{C}\p{Zl}\p{Zp}]{1,4096}$/u);

/** The name of a field of an event, such as "source.ip". */
export const fieldName: Kind<string> = textLike(
  "the name of a field: up to 8 names of letters, digits, _, - and @, with dots between them",
  /^(?=.{1,128}$)[\w@-]+(?:\.[\w@-]+){0,7}$/,
);

/** A path, or a list of 1 to `maxItems` different ones, read as it is written: a list may mean more than one path does. */
export function pathOrList(maxItems: number): Kind<string | readonly string[]> {
  const list = oneOrMore(path, maxItems);
  return {
    allowed: `a path, or a list of 1 to ${maxItems} paths`,
    read: (value, refuse) => {
      const paths = list.read(value, refuse);
      return Array.isArray(value) ? paths : (paths[0] ?? refuse());
    },
    show: list.show,
    unset: "",
  };
}

const maxShownLength = 100;

/** A value on one line of bounded length: `"text"`, `0`, `a list`. */
export function showValue(value: TomlValue): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return truncate(String(value), maxShownLength);
  }
  return showType(value);
}

/** The type of a value, for values that must not be shown. */
export function showType(value: TomlValue): string {
  if (typeof value === "string") return "text (not shown)";
  if (typeof value === "bigint") return "an integer";
  if (typeof value === "number") return "a float";
  if (typeof value === "boolean") return "true or false";
  if (Array.isArray(value)) return "a list";
  return isTable(value) ? "a section" : "a date or time";
}

/** Text that may contain credentials, such as "user:password@host", is not printed. */
export function showAddress(value: TomlValue): string {
  return typeof value === "string" && /[@?#]/.test(value) ? showType(value) : showValue(value);
}

export function isTable(value: TomlValue | undefined): value is { [key: string]: TomlValue } {
  // The parser returns tables without a prototype. Dates and times are instances of classes.
  return typeof value === "object" && !Array.isArray(value) && Object.getPrototypeOf(value) === null;
}

/** Text in quotes, on one line of bounded length. */
export function quote(value: string): string {
  return escapeUnsafe(JSON.stringify(truncate(value, maxShownLength)), codePointEscape);
}
