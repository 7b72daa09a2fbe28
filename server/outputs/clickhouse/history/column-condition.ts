import { isIpv4Key } from "../../../address-key.ts";
import type { ValuePattern } from "../../../query/query.ts";
import { anyCharacters, oneCharacter, wildcardParts } from "../../../query/wildcard.ts";
import { escapeLike, textLiteral } from "./sql-literal.ts";
import type { UsableColumn, ValueForm } from "./table-layout.ts";

/**
 * The condition that a column has one of the values, in SQL.
 * @returns undefined if SQL cannot express it
 */
export function columnCondition(column: UsableColumn, patterns: readonly ValuePattern[]): string | undefined {
  const tests: string[] = [];
  for (const pattern of patterns) {
    const test = testOf(column, pattern);
    if (test === undefined) return undefined;
    tests.push(test);
  }
  const hasValue = `(${tests.join(" OR ")})`;
  return column.form === "list" ? hasValue : `(${presence(column)} AND ${hasValue})`;
}

/** The value of a column in SQL, in which an event without a value has the form's empty one. */
export function valueExpression({ name, form }: UsableColumn): string {
  // Loom counts only two letters as a country, in capitals (event/event-fields.ts).
  return form === "country" ? `if(match(${name}, '^[A-Za-z]{2}$'), upper(${name}), '')` : name;
}

/** The value that stands for none. */
export function emptyValue(form: ValueForm): string {
  switch (form) {
    case "number":
      return "0";
    case "ipv6":
    case "bytes16":
      return addressLiteral("\0".repeat(16), form);
    default:
      return "''";
  }
}

function presence(column: UsableColumn): string {
  return `${valueExpression(column)} != ${emptyValue(column.form)}`;
}

/** The text of one value: in a list, `value` is one of its members. */
function testOf(column: UsableColumn, pattern: ValuePattern): string | undefined {
  const { name, form } = column;
  switch (form) {
    case "list": {
      const test = textTest("value", pattern);
      return `arrayExists(value -> ${test}, ${name})`;
    }
    case "number":
      return numberTest(name, pattern);
    case "ipv6":
    case "bytes16":
      return addressTest(name, form, pattern);
    default:
      return textTest(valueExpression(column), pattern);
  }
}

const never = "0";

function textTest(value: string, pattern: ValuePattern): string {
  if (pattern.kind === "exact" && typeof pattern.value === "string")
    return `${value} = ${textLiteral(pattern.value)}`;
  return pattern.kind === "wildcard" ? `${value} LIKE ${textLiteral(likePattern(pattern.pattern))}` : never;
}

function likePattern(wildcard: string): string {
  return wildcardParts(wildcard)
    .map((part) => {
      if (part === anyCharacters) return "%";
      return part === oneCharacter ? "_" : escapeLike(part);
    })
    .join("");
}

function numberTest(name: string, pattern: ValuePattern): string {
  const [min, max] = boundsOf(pattern);
  const [from, to] = [Math.max(0, Math.ceil(min)), Math.min(Number.MAX_SAFE_INTEGER, Math.floor(max))];
  if (!(from <= to)) return never;
  return from === to ? `${name} = ${from}` : `${name} BETWEEN ${from} AND ${to}`;
}

function boundsOf(pattern: ValuePattern): readonly [number, number] {
  if (pattern.kind === "range") return [pattern.min, pattern.max];
  if (pattern.kind === "exact" && typeof pattern.value === "number") return [pattern.value, pattern.value];
  return [1, 0];
}

const firstIpv4 = `${"\0".repeat(10)}\xff\xff\0\0\0\0`;
const lastIpv4 = `${"\0".repeat(10)}\xff\xff\xff\xff\xff\xff`;

function addressTest(name: string, form: "ipv6" | "bytes16", pattern: ValuePattern): string | undefined {
  const between = (first: string, last: string) =>
    `${name} BETWEEN ${addressLiteral(first, form)} AND ${addressLiteral(last, form)}`;
  switch (pattern.kind) {
    case "exact":
      return isKey(pattern.value) ? `${name} = ${addressLiteral(pattern.value, form)}` : never;
    case "network": {
      if (!isKey(pattern.first) || !isKey(pattern.last)) return never;
      const isWithin = between(pattern.first, pattern.last);
      return isIpv4Key(pattern.first) ? isWithin : `(${isWithin} AND NOT ${between(firstIpv4, lastIpv4)})`;
    }
    case "range":
      return never;
    case "wildcard":
      // Keys as texts are nothing that SQL has.
      return pattern.pattern === "*" ? "1" : undefined;
  }
}

function isKey(value: string | number): value is string {
  return typeof value === "string" && /^[\0-\xff]{16}$/.test(value);
}

function addressLiteral(key: string, form: "ipv6" | "bytes16"): string {
  const hex = Buffer.from(key, "latin1").toString("hex");
  if (form === "bytes16") return `toFixedString(unhex('${hex}'), 16)`;
  return `toIPv6('${hex.replace(/.{4}(?=.)/g, "$&:")}')`;
}
