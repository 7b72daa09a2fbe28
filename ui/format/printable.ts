import { codePointEscape, escapeUnsafe } from "../../server/text/printable.ts";

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** An attacker's text on one line, with every unsafe character as an escape: "invoice\u{202e}gnp.exe". */
export function printable(text: string): string {
  return escapeUnsafe(text, escapeOf);
}

/** The same with a dot for every unsafe character, which is shorter: "GET / HTTP/1.1··". */
export function dotted(text: string): string {
  return escapeUnsafe(text, () => "·");
}

/** `printable` for a text of several lines: line feeds and tabs stay. */
export function printableLines(text: string): string {
  return escapeUnsafe(text, (char) => (char === "\n" || char === "\t" ? char : escapeOf(char)));
}

function escapeOf(char: string): string {
  return named[char] ?? codePointEscape(char);
}
