import { addressOfKey, isIpv4Key } from "../address-key.ts";
import type { ColumnName } from "../event/columns.ts";
import { escapeUnsafe, jsonEscape } from "../text/printable.ts";
import { addressPatterns } from "./parse-address.ts";
import { numberKinds, numberText } from "./parse-number.ts";
import type { Query, QueryTerm, ValuePattern } from "./query.ts";
import { nameOfColumn } from "./query-fields.ts";
import { anyCharacters, oneCharacter, wildcardParts } from "./wildcard.ts";

/*
 * Queries as text. What is written here is parsed as the same query, and contains no character that could hide or reorder
 * text. The page builds its links with these functions.
 */

export function formatQuery({ terms, since, until }: Query): string {
  const texts = terms.map(formatTerm);
  if (since !== undefined) texts.push(`since:${timeText(since)}`);
  if (until !== undefined) texts.push(`until:${timeText(until)}`);
  return texts.join(" ");
}

export function formatTerm(term: QueryTerm): string {
  const sign = term.isExcluded ? "-" : "";
  if (term.kind === "text") return sign + quoteWord(term.text);
  const values = term.values.map((pattern) => patternText(term.column, pattern));
  return `${sign}${nameOfColumn(term.column)}:${values.join(",")}`;
}

/** The term that finds events with this value. @param value an address as its usual text */
export function columnQuery(column: ColumnName, value: string | number): string {
  return `${nameOfColumn(column)}:${quoteValue(String(value))}`;
}

/** A text as a value of a field; in quotes only if it needs them. */
export function quoteValue(text: string): string {
  return plainValue.test(text) ? text : inQuotes(text);
}

/** A text as a word to search for; in quotes if it could be read as something else. */
export function quoteWord(text: string): string {
  const isPlain = plainWord.test(text) && !keywords.has(text) && addressPatterns(text).kind === "refused";
  return isPlain ? text : inQuotes(text);
}

/** Nothing but letters, digits, and signs that mean nothing in a query. */
const plainValue = /^[\p{L}\p{M}\p{N}_./:+=%&;#~@$|(){}[\]<>!^'-]+$/u;
const plainWord = /^[\p{L}\p{N}_./+=%&;#~$][\p{L}\p{M}\p{N}_./+=%&;#~@$-]*$/u;
const keywords: ReadonlySet<string> = new Set(["AND", "OR", "NOT"]);

function inQuotes(text: string): string {
  const escaped = text.replace(/["\\]/g, "\\$&");
  return `"${escapeUnsafe(escaped, jsonEscape)}"`;
}

function patternText(column: ColumnName, pattern: ValuePattern): string {
  switch (pattern.kind) {
    case "exact":
      return exactText(column, pattern.value);
    case "wildcard":
      return wildcardParts(pattern.pattern)
        .map((part) => (part === anyCharacters ? "*" : part === oneCharacter ? "?" : quoteValue(part)))
        .join("");
    case "range": {
      const kind = numberKinds[column] ?? { min: 0, max: Number.MAX_SAFE_INTEGER };
      return numberText(pattern.min, pattern.max, kind);
    }
    case "network":
      return networkText(pattern.first, pattern.last);
  }
}

function exactText(column: ColumnName, value: string | number): string {
  return quoteValue(column === "ip" ? addressOfKey(String(value)) : String(value));
}

/** The number of bits that the first and the last address share is the length of the prefix. */
function networkText(first: string, last: string): string {
  let bits = 0;
  while (bits < 128 && bitAt(first, bits) === bitAt(last, bits)) bits++;
  return `${addressOfKey(first)}/${isIpv4Key(first) ? bits - 96 : bits}`;
}

function bitAt(key: string, bit: number): number {
  return (key.charCodeAt(bit >>> 3) >>> (7 - (bit & 7))) & 1;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/(?::00)?\.000Z$/, "Z");
}
