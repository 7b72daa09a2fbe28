import { payloadKey, payloadOf } from "./payload.ts";

/*
 * The text of an event in which people search. The page imports this file too: nothing in it needs Bun or Node.
 */

/** Separates the strings of a search text, so that no text is found across two of them. */
export const textSeparator = "\0";

const utf8 = new TextDecoder();

/**
 * The strings of a document without its keys, and its payload as text (UTF-8; other bytes become U+FFFD), folded. Not among
 * them are `event.id` and `network.community_id`, which are unique to an event or connection and have fields of their own,
 * and the hexadecimal text of the payload.
 * @param document as JSON.parse returns it
 * @param payload as payloadOf returns it
 */
export function searchTextOf(document: unknown, payload = payloadOf(document)): string {
  const strings: string[] = [];
  addStringsOf(document, strings);
  if (payload) strings.push(utf8.decode(payload));
  return foldCase(strings.join(textSeparator));
}

/** Texts that differ only in case are folded to the same text. A final sigma becomes the other lower-case sigma. */
export function foldCase(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes("ς") ? lower.replaceAll("ς", "σ") : lower;
}

/** The fields that are left out, by the key of the object that has them. */
const leftOut: Readonly<Record<string, readonly string[]>> = {
  event: ["id", payloadKey],
  network: ["community_id"],
};

/** Adds the strings of a document. Documents are at most 64 levels deep (server/json-bytes.ts). */
function addStringsOf(document: unknown, strings: string[]): void {
  if (typeof document !== "object" || document === null) {
    addStrings(document, strings);
    return;
  }
  for (const [key, value] of Object.entries(document)) {
    const names = Object.hasOwn(leftOut, key) ? leftOut[key] : undefined;
    if (names === undefined || typeof value !== "object" || value === null) addStrings(value, strings);
    else
      for (const [name, inner] of Object.entries(value))
        if (!names.includes(name) || typeof inner !== "string") addStrings(inner, strings);
  }
}

function addStrings(value: unknown, strings: string[]): void {
  if (typeof value === "string") strings.push(value);
  else if (typeof value === "object" && value !== null)
    for (const inner of Object.values(value)) addStrings(inner, strings);
}
