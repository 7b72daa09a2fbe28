import type { ColumnName } from "../event/columns.ts";
import { maxPathLength, maxUserAgentLength } from "../event/event-fields.ts";
import { accepted, type Result, refused } from "../result.ts";
import { startOf } from "../text/truncate.ts";
import { type LexedValue, textOfValue } from "./lex-query.ts";
import { addressPatterns } from "./parse-address.ts";
import { numberKinds, parseNumber } from "./parse-number.ts";
import type { ValuePattern } from "./query.ts";
import { type QueryError, queryError, quoted } from "./query-error.ts";
import type { QueryField } from "./query-fields.ts";
import type { ValueRefusal } from "./value-refusal.ts";
import { escapeWildcards, patternOfParts, wildcardParts } from "./wildcard.ts";

/** Longer values of these columns are stored truncated, so that the start of a longer value finds it. */
const maxLengths: Partial<Readonly<Record<ColumnName, number>>> = {
  path: maxPathLength,
  user_agent: maxUserAgentLength,
};

/** The columns whose values may be empty. */
const emptied: readonly ColumnName[] = ["user", "password"];

/** Reads one value of a field. It may stand for several patterns. */
export function parseValue(field: QueryField, value: LexedValue): Result<ValuePattern[], QueryError> {
  if (value.fault) return refused(value.fault);
  const found = patternsOf(field, value);
  if (found.kind === "accepted") return found;
  const { message, suggestion } = found.refusal;
  return refused(queryError(value, message, suggestion));
}

function patternsOf(
  { column, kind, names }: QueryField,
  value: LexedValue,
): Result<ValuePattern[], ValueRefusal> {
  const text = textOfValue(value);
  if (text === "" && (value.pieces.length === 0 || !emptied.includes(column)))
    return refused({
      message: `a value is missing; ${names[0]}:* finds events that have one, and -${names[0]}:* those without`,
    });
  if (kind === "address") {
    const patterns = addressPatterns(text);
    if (patterns.kind === "accepted") return patterns;
    const forms = "write 192.0.2.1, 192.0.2.0/24, 192.0.2.*, 2001:db8::1 or 2001:db8::/32";
    return refused({ message: `${quoted(text)} is wrong: ${patterns.refusal}; ${forms}` });
  }
  const numberKind = numberKinds[column];
  if (numberKind) {
    const pattern = parseNumber(text, numberKind);
    if (pattern.kind === "accepted") return accepted([pattern.value]);
    const { message, ...rest } = pattern.refusal;
    return refused({ message: `${quoted(text)} is wrong: ${message}`, ...rest });
  }
  return column === "country" ? countryPatterns(value) : accepted([textPattern(column, value)]);
}

/** Wildcards in quotes stand for themselves. */
function textPattern(column: ColumnName, value: LexedValue): ValuePattern {
  const text = textOfValue(value).toWellFormed();
  const hasWildcard = value.pieces.some((piece) => !piece.isQuoted && /[*?]/.test(piece.text));
  if (!hasWildcard) return { kind: "exact", value: startOf(text, maxLengths[column] ?? text.length) };
  const parts = value.pieces.map((piece) =>
    piece.isQuoted ? escapeWildcards(piece.text) : piece.text.replaceAll("\\", "\\\\"),
  );
  return { kind: "wildcard", pattern: canonical(parts.join("").toWellFormed()) };
}

function countryPatterns(value: LexedValue): Result<ValuePattern[], ValueRefusal> {
  const text = textOfValue(value).toUpperCase();
  if (/^[A-Z]{2}$/.test(text)) return accepted([{ kind: "exact", value: text }]);
  if (/^(?=.*[*?])[A-Z*?]+$/.test(text)) return accepted([{ kind: "wildcard", pattern: canonical(text) }]);
  return refused({
    message: `${quoted(textOfValue(value))} is not a country: a country is two letters, such as CN`,
  });
}

function canonical(pattern: string): string {
  return patternOfParts(wildcardParts(pattern));
}
