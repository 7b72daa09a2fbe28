import { printable } from "../../text/printable.ts";
import { truncate } from "../../text/truncate.ts";

/** Errors appear in logs, pages and dead letters. */
const maxTextLength = 500;

/**
 * An error object of Elasticsearch as text: `type: reason (cause)`; "" if it has neither. Its reasons quote what attackers
 * sent, so the text is truncated and unsafe characters are escaped.
 */
export function errorText(error: unknown): string {
  const { type, reason, caused_by: cause } = objectOr(error);
  const causeReason = objectOr(cause).reason;
  const parts = [typeof type === "string" ? type : "", typeof reason === "string" ? reason : ""];
  const text = parts.filter((part) => part !== "").join(": ");
  return printable(
    truncate(typeof causeReason === "string" ? `${text} (${causeReason})` : text, maxTextLength),
  );
}

/** @returns the value if it is an object, otherwise an empty object */
export function objectOr(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
