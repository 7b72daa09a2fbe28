/*
 * Wildcard patterns: `*` stands for any characters, also none; `?` for one character (a code point); `\` makes the next
 * character stand for itself.
 */

/** A text that occurs as it is, or one that a wildcard stands for. */
export type WildcardPart = string | typeof anyCharacters | typeof oneCharacter;

export const anyCharacters = Symbol("any characters");
export const oneCharacter = Symbol("one character");

/** The parts of a pattern in their order. No text is empty or follows another text, and no `*` follows another one. */
export function wildcardParts(pattern: string): WildcardPart[] {
  const parts: WildcardPart[] = [];
  for (const [token] of pattern.matchAll(/\\?./gsu)) {
    const last = parts.at(-1);
    const part = partOf(token);
    if (typeof part === "string" && typeof last === "string") parts[parts.length - 1] = last + part;
    else if (part !== anyCharacters || last !== anyCharacters) parts.push(part);
  }
  return parts;
}

/** A pattern of these parts. Equal patterns have the same parts, and so the same text. */
export function patternOfParts(parts: readonly WildcardPart[]): string {
  return parts
    .map((part) => (part === anyCharacters ? "*" : part === oneCharacter ? "?" : escapeWildcards(part)))
    .join("");
}

/** The text with which every matching value begins; empty if there is none. */
export function wildcardPrefix(pattern: string): string {
  const [first] = wildcardParts(pattern);
  return typeof first === "string" ? first : "";
}

/** The pattern that matches only this text. */
export function escapeWildcards(text: string): string {
  return text.replace(/[*?\\]/g, "\\$&");
}

function partOf(token: string): WildcardPart {
  if (token === "*") return anyCharacters;
  if (token === "?") return oneCharacter;
  return token.length > 1 && token.startsWith("\\") ? token.slice(1) : token;
}

/** What is between two `*`. */
type Segment = readonly (string | typeof oneCharacter)[];

/**
 * Compiles a pattern.
 *
 * Each segment between two `*` is taken where it first occurs, so that nothing is tried twice: a match takes at most the
 * length of the value times that of the pattern. A regular expression would go back for each `*`.
 */
export function compileWildcard(pattern: string): (value: string) => boolean {
  const segments = segmentsOf(wildcardParts(pattern));
  const first = segments[0] ?? [];
  if (segments.length === 1) return (value) => endOfMatch(first, value, 0) === value.length;
  const middle = segments.slice(1, -1);
  const last = segments.at(-1) ?? [];
  return (value) => {
    let at = endOfMatch(first, value, 0);
    for (const segment of middle) {
      if (at === undefined) return false;
      at = endOfFirst(segment, value, at);
    }
    return at !== undefined && isAtEnd(last, value, at);
  };
}

function segmentsOf(parts: readonly WildcardPart[]): Segment[] {
  let segment: (string | typeof oneCharacter)[] = [];
  const segments = [segment];
  for (const part of parts) {
    if (part !== anyCharacters) segment.push(part);
    else {
      segment = [];
      segments.push(segment);
    }
  }
  return segments;
}

/** Where a segment ends that begins at `at`; undefined if it is not there. */
function endOfMatch(segment: Segment, value: string, at: number): number | undefined {
  let end = at;
  for (const part of segment) {
    if (part === oneCharacter) {
      if (end === value.length) return undefined;
      end = afterCharacter(value, end);
    } else {
      if (!value.startsWith(part, end)) return undefined;
      end += part.length;
    }
  }
  return end;
}

/** Where a segment ends that begins at `from` or later, as early as possible. */
function endOfFirst(segment: Segment, value: string, from: number): number | undefined {
  const [first] = segment;
  if (segment.length === 1 && typeof first === "string") {
    const found = value.indexOf(first, from);
    return found < 0 ? undefined : found + first.length;
  }
  for (let start = from; start <= value.length; start = afterCharacter(value, start)) {
    const end = endOfMatch(segment, value, start);
    if (end !== undefined) return end;
  }
  return undefined;
}

/** Whether a segment that begins at `from` or later ends where the value ends. */
function isAtEnd(segment: Segment, value: string, from: number): boolean {
  let start = value.length;
  for (const part of segment.toReversed()) {
    if (typeof part === "string") start -= part.length;
    else start -= start > 1 && value.charCodeAt(start - 1) >>> 10 === 0x37 ? 2 : 1;
    if (start < from) return false;
  }
  return endOfMatch(segment, value, start) === value.length;
}

/** The position after the character at a position. Values are well-formed Unicode. */
function afterCharacter(value: string, at: number): number {
  return at + (value.charCodeAt(at) >>> 10 === 0x36 ? 2 : 1);
}
