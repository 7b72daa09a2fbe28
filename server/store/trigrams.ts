/*
 * Which sequences of three characters occur in some texts: a bitmap of 2^18 bits, in which each character has 6 bits.
 * Characters that share these 6 bits are not told apart, so a text whose trigrams all occur may still be absent; a text
 * with a trigram that does not occur is certainly absent.
 */

/** A bitmap has this many bytes. */
export const trigramBytes = 2 ** 18 / 8;

/** The 6 bits of each ASCII character: its own for the 26 letters, 10 digits and common signs. */
const classes = classTable();
const firstSharedClass = 58;
const sharedClasses = 64 - firstSharedClass;

function classTable(): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0; code < 128; code++) table[code] = firstSharedClass + (code % sharedClasses);
  const own = "abcdefghijklmnopqrstuvwxyz0123456789 /.:-_=&?%\"'<>();,+*\n$";
  for (let i = 0; i < own.length; i++) table[own.charCodeAt(i)] = i;
  return table;
}

function classOf(code: number): number {
  return code < 128 ? (classes[code] as number) : firstSharedClass + (code % sharedClasses);
}

/** Adds the trigrams of a text. @param folded see foldCase */
export function addTrigrams(bits: Uint8Array, folded: string): void {
  let index = 0;
  for (let at = 0; at < folded.length; at++) {
    index = ((index << 6) | classOf(folded.charCodeAt(at))) & 0x3ffff;
    if (at >= 2) bits[index >>> 3] = (bits[index >>> 3] as number) | (1 << (index & 7));
  }
}

/** The trigrams of a text as indexes of bits; none for a text that is shorter than three characters. */
export function trigramsOf(folded: string): number[] {
  const found = new Set<number>();
  let index = 0;
  for (let at = 0; at < folded.length; at++) {
    index = ((index << 6) | classOf(folded.charCodeAt(at))) & 0x3ffff;
    if (at >= 2) found.add(index);
  }
  return [...found];
}

/** Whether all of these trigrams occur. */
export function hasTrigrams(bits: Uint8Array, trigrams: readonly number[]): boolean {
  return trigrams.every((index) => ((bits[index >>> 3] as number) & (1 << (index & 7))) !== 0);
}
