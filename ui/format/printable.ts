/**
 * Control characters (C0, DEL, C1), line separators, bidirectional controls and other invisible ones, lone surrogates and unassigned ones: what could
 * hide text, turn it round or break a line.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A sensor's text on one line with every such character as an escape: "caf\u{fe} \u{202e}" is seen, not obeyed. */
export function printable(text: string): string {
  return text.replace(unsafe, escapeOf);
}

/** The same, but line breaks and tabs stay: for text that has lines. */
export function printableLines(text: string): string {
  return text.replace(unsafe, (char) => (char === "\n" || char === "\t" ? char : escapeOf(char)));
}

function escapeOf(char: string): string {
  return named[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}
