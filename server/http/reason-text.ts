import { printable } from "../text/printable.ts";
import { truncate } from "../text/truncate.ts";

/** Reasons appear in logs, pages and dead letters. */
const maxReasonLength = 400;

/**
 * Text of an answer as part of a reason: one line of bounded length, with unsafe characters escaped. Answers quote what
 * attackers sent.
 */
export function reasonText(text: string): string {
  return printable(truncate(text.replace(/[\p{Cc}\s]+/gu, " ").trim(), maxReasonLength));
}
