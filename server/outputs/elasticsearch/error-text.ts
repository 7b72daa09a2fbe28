import { printable } from "../../text/printable.ts";

/** A reason goes into logs, pages and dead letters: long enough to see what is wrong, short enough for any of them. */
const maxTextLength = 500;

/**
 * An error object of Elasticsearch as text: `type: reason (cause)`. Its reasons quote what attackers sent, so the text is
 * bounded and what could forge or hide a line is escaped. "" when there is nothing to read.
 */
export function errorText(error: unknown): string {
  const { type, reason, caused_by: cause } = objectOr(error);
  const causeReason = objectOr(cause).reason;
  const parts = [typeof type === "string" ? type : "", typeof reason === "string" ? reason : ""];
  const text = parts.filter((part) => part !== "").join(": ");
  return printable(cut(typeof causeReason === "string" ? `${text} (${causeReason})` : text));
}

/** @returns the value when it is an object, otherwise an empty one. */
export function objectOr(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function cut(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
}
