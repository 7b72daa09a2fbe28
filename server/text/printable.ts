/*
 * Makes text from outside safe to show to people. The dashboard's page imports this file too, so it must not use
 * anything of Bun or Node.
 */

/**
 * Characters that could forge, hide or reorder text: control characters (C0, DEL, C1), format characters (bidirectional
 * overrides, zero-width characters, tags), lone surrogates, line and paragraph separators, private-use and unassigned
 * characters.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;

/** The text with every unsafe character replaced by what `replacement` returns for it. */
export function escapeUnsafe(text: string, replacement: (char: string) => string): string {
  return text.replace(unsafe, replacement);
}

/** The text with every unsafe character written as in JSON: `\uXXXX`, twice for a character above U+FFFF. */
export function printable(text: string): string {
  return escapeUnsafe(text, jsonEscape);
}

/** One character written as in JSON: `\uXXXX`, twice for a character above U+FFFF. */
export function jsonEscape(char: string): string {
  let escaped = "";
  for (let i = 0; i < char.length; i++) escaped += `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`;
  return escaped;
}

/** One character written as in JavaScript, `\u{X}`: shorter to read than two surrogates. */
export function codePointEscape(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}
