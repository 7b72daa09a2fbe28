/** A reason goes into logs, pages and dead letters: long enough to see what is wrong, short enough for any of them. */
const maxTextLength = 500;

/** Control characters (C0, DEL, C1), line separators and bidirectional overrides. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * An error object of Elasticsearch as text: `type: reason (cause)`. Its reasons quote what attackers sent, so the text is
 * bounded and what could forge or hide a line is escaped. "" when there is nothing to read.
 */
export function errorText(error: unknown): string {
  const { type, reason, caused_by: cause } = objectOr(error);
  const causeReason = objectOr(cause).reason;
  const parts = [typeof type === "string" ? type : "", typeof reason === "string" ? reason : ""];
  const text = parts.filter((part) => part !== "").join(": ");
  return printable(typeof causeReason === "string" ? `${text} (${causeReason})` : text);
}

/** @returns the value when it is an object, otherwise an empty one. */
export function objectOr(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function printable(text: string): string {
  const bounded = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
  return bounded.replace(unsafe, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
