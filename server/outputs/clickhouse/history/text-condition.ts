import { textLiteral } from "./sql-literal.ts";

/*
 * A condition in SQL that every event with a text in its search text (event/search-text.ts) fulfils, and few others. Loom
 * examines the events that fulfil it.
 *
 * The document has the text with escapes. The condition looks for the longest part of the text whose characters are usually
 * not escaped: printable ASCII except `"`, `\`, `/`, and except `<`, `>` and `&`, which Go escapes.
 */

const plainRun = /[^"\\/<>&\0-\x1f\x7f-\uffff]+/g;

/**
 * Matches documents in which plain characters are escaped, and those with a character outside ASCII of which the lower-case
 * form has an ASCII letter: U+0130 and U+212A.
 */
const unusual = "\\\\\\\\u(00(2[^26fF]|3[^ceCE]|4|5[^cC]|6|7)|0130|212[aA])|\u0130|\u212a";

/**
 * @param text as in TextTerm (query/query.ts)
 * @returns undefined if the text has no such part
 */
export function textCondition(text: string): string | undefined {
  const runs = text.match(plainRun) ?? [];
  const run = runs.reduce((longest, one) => (one.length > longest.length ? one : longest), "");
  if (run === "") return undefined;
  const literal = textLiteral(run);
  // Payloads are bytes: the functions that compare bytes are used.
  return `(positionCaseInsensitive(\`event\`, ${literal}) > 0 OR match(\`event\`, '${unusual}')
    OR positionCaseInsensitive(\`payload\`, ${literal}) > 0
    OR position(\`payload\`, '\u0130') > 0 OR position(\`payload\`, '\u212a') > 0)`;
}
