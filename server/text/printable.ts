/** Control characters (C0, DEL, C1), line separators and bidirectional overrides: what could forge, hide or turn a line. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** A text from outside for a line that people read: those characters as \uXXXX, all others as they are. */
export function printable(text: string): string {
  return text.replace(unsafe, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
