import { printable } from "../../text/printable.ts";
import { truncate } from "../../text/truncate.ts";

/** Errors appear in logs, pages and dead letters. */
const maxTextLength = 500;

/**
 * A parser names where it read. Elasticsearch 7 quotes the start of its buffer there, which is the whole HTTP request with the
 * Authorization header and the documents of other events.
 */
const parserSource = "at [Source";

/**
 * An error object of Elasticsearch as text: `type: reason (cause)`; "" if it has neither. Its reasons quote what attackers
 * sent, so the text is truncated and unsafe characters are escaped.
 */
export function errorText(error: unknown): string {
  const { type, reason, caused_by: cause } = objectOr(error);
  const text = [textOf(type), textOf(reason)].filter((part) => part !== "").join(": ");
  const causeText = textOf(objectOr(cause).reason);
  return printable(truncate(causeText === "" ? text : `${text} (${causeText})`, maxTextLength));
}

function textOf(value: unknown): string {
  if (typeof value !== "string") return "";
  const end = value.indexOf(parserSource);
  return end === -1 ? value : value.slice(0, end).trimEnd();
}

/** @returns the value if it is an object, otherwise an empty object */
export function objectOr(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
