const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "'": "\\'", "\0": "\\0" };

/**
 * A text as a literal of ClickHouse's SQL, on every server since 18.16. Query parameters (`param_x`) would need 19.14.
 * Everything but backslashes, quotes and NUL, which ends a statement, may stand in a literal as it is.
 * @param text half of a surrogate pair becomes U+FFFD
 */
export function textLiteral(text: string): string {
  return `'${text.toWellFormed().replace(/[\\'\0]/g, (character) => escapes[character] ?? character)}'`;
}

/** A pattern for LIKE that stands for the text itself. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}
