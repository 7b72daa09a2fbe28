import type { ColumnName } from "../event/columns.ts";
import { accepted, type Result, refused } from "../result.ts";
import type { ValuePattern } from "./query.ts";
import type { ValueRefusal } from "./value-refusal.ts";

/** Which numbers a column has, and how they are called. */
export interface NumberKind {
  readonly min: number;
  readonly max: number;
  /** "a port" */
  readonly name: string;
  /** What may stand before the digits; "" for nothing. */
  readonly prefix: string;
}

export const numberKinds: Partial<Readonly<Record<ColumnName, NumberKind>>> = {
  port: { min: 0, max: 65_535, name: "a port", prefix: "" },
  asn: { min: 1, max: Number.MAX_SAFE_INTEGER, name: "an AS number", prefix: "AS" },
};

const comparison = /^(>=|<=|>|<)(.+)$/;
const span = /^([^-]+)-([^-]+)$/;
const digits = /^\d{1,16}$/;

/** Reads a number, a range such as `1-1023`, `>1023` or `<=22`, or `*` for every number. */
export function parseNumber(text: string, kind: NumberKind): Result<ValuePattern, ValueRefusal> {
  if (text === "*") return accepted({ kind: "range", min: kind.min, max: kind.max });
  const [, sign, compared = ""] = comparison.exec(text) ?? [];
  const [, from = sign ? compared : text, to = from] = span.exec(text) ?? [];
  const [first, last] = [numberOf(from, kind), numberOf(to, kind)];
  if (first === undefined || last === undefined)
    return refused({ message: `it is not ${kind.name}: ${formsOf(kind)}` });
  const min = sign === undefined || sign === ">=" ? first : sign === ">" ? first + 1 : kind.min;
  const max = sign === undefined || sign === "<=" ? last : sign === "<" ? last - 1 : kind.max;
  const isOutside = [first, last].some((value) => value < kind.min || value > kind.max);
  if (isOutside || min > kind.max || max < kind.min)
    return refused({ message: `${kind.name} is from ${kind.min} to ${kind.max}` });
  if (min > max)
    return refused({ message: "the range ends before it begins", suggestion: `${last}-${first}` });
  return accepted(min === max ? { kind: "exact", value: min } : { kind: "range", min, max });
}

/** A pattern as text that is read as this pattern. */
export function numberText(min: number, max: number, kind: Pick<NumberKind, "min" | "max">): string {
  if (min === max) return String(min);
  if (max < kind.max) return min > kind.min ? `${min}-${max}` : `<=${max}`;
  return min > kind.min ? `>=${min}` : "*";
}

function numberOf(text: string, { prefix }: NumberKind): number | undefined {
  const hasPrefix = text.slice(0, prefix.length).toUpperCase() === prefix;
  const rest = hasPrefix ? text.slice(prefix.length) : text;
  return digits.test(rest) ? Number(rest) : undefined;
}

function formsOf({ name, prefix }: NumberKind): string {
  const example = prefix === "" ? "22, 1-1023, >1023 or <=22" : "4134, AS4134, 64512-65534 or >64511";
  return `write ${name} or a range, such as ${example}`;
}
