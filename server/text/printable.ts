/*
 * Text from outside made safe to show to people. The page imports this file too: nothing in it needs Bun or Node.
 */

/**
 * What could forge, hide or reorder text: control characters (C0, DEL, C1), format characters (bidirectional overrides,
 * zero-width characters, tags), lone surrogates, line and paragraph separators, private and unassigned characters.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;

/** The text with every unsafe character replaced by what `replacement` returns for it. */
export function escapeUnsafe(text: string, replacement: (char: string) => string): string {
  return text.replace(unsafe, replacement);
}

/** The text with every unsafe character as `\uXXXX` (two of them for a character above U+FFFF), as in JSON. */
export function printable(text: string): string {
  return escapeUnsafe(text, jsonEscape);
}

/** One character as `\uXXXX`, or as two of these when it is above U+FFFF. */
export function jsonEscape(char: string): string {
  let escaped = "";
  for (let i = 0; i < char.length; i++) escaped += `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`;
  return escaped;
}

/** One character as `\u{X}`, as in JavaScript: shorter to read than two surrogates. */
export function codePointEscape(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}
