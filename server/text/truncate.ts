/**
 * The text, or its first `maxLength` characters followed by "…" if it is longer. A surrogate pair is never cut in two.
 * @param maxLength in UTF-16 code units, without the "…"
 */
export function truncate(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${startOf(text, maxLength)}…`;
}

/**
 * The first `maxLength` UTF-16 code units of a text. It is one code unit shorter if the last one would be half of a
 * surrogate pair.
 */
export function startOf(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const last = text.charCodeAt(maxLength - 1);
  const isHalfPair = last >= 0xd800 && last < 0xdc00;
  return text.slice(0, isHalfPair ? maxLength - 1 : maxLength);
}
