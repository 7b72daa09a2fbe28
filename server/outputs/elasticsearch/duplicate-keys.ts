import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  INVALID,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
} from "../../json-bytes.ts";

/** Bytes to leave out, from `start` up to but without `end`. */
interface Cut {
  readonly start: number;
  readonly end: number;
}

/**
 * Leaves out every member of an object that a later member with the same key follows, at any depth. The last one counts in
 * enrichment too, and in JSON.parse. All other bytes stay as they are. Keys are compared as text: `"a"` and `"\u0061"` are
 * the same key.
 * @param document JSON that was kept, so that it is valid and its depth is bounded
 * @returns undefined if no key occurs twice
 */
export function withoutDuplicateKeys(document: Buffer): Buffer | undefined {
  const cuts: Cut[] = [];
  if (findCuts(document, skipSpace(document, 0), cuts) === INVALID || cuts.length === 0) return undefined;
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end } of cuts) {
    parts.push(document.subarray(at, start));
    at = end;
  }
  return Buffer.concat([...parts, document.subarray(at)]);
}

/** Adds the cuts of one value, in order. @returns the position after the value, or INVALID */
function findCuts(bytes: Buffer, at: number, cuts: Cut[]): number {
  if (bytes[at] === OPEN_BRACE) return findCutsInObject(bytes, at + 1, cuts);
  if (bytes[at] === OPEN_BRACKET) return findCutsInArray(bytes, at + 1, cuts);
  return skipValue(bytes, at, 0);
}

interface Member {
  readonly key: string;
  /** The position of the key. */
  readonly start: number;
  /** The cuts inside the value. */
  readonly cuts: readonly Cut[];
}

function findCutsInObject(bytes: Buffer, start: number, cuts: Cut[]): number {
  const members: Member[] = [];
  let at = skipSpace(bytes, start);
  while (bytes[at] === QUOTE) {
    const keyEnd = skipString(bytes, at + 1);
    const valueStart = keyEnd === INVALID ? INVALID : skipColon(bytes, keyEnd);
    if (valueStart === INVALID) return INVALID;
    const member = { key: JSON.parse(bytes.toString("utf8", at, keyEnd)), start: at, cuts: [] };
    members.push(member);
    at = findCuts(bytes, valueStart, member.cuts);
    if (at === INVALID) return INVALID;
    at = skipSpace(bytes, at);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  if (bytes[at] !== CLOSE_BRACE) return INVALID;
  const lastOf = new Map(members.map((member) => [member.key, member]));
  for (const [position, member] of members.entries()) {
    const next = members[position + 1];
    if (next !== undefined && lastOf.get(member.key) !== member)
      cuts.push({ start: member.start, end: next.start });
    else cuts.push(...member.cuts);
  }
  return at + 1;
}

function findCutsInArray(bytes: Buffer, start: number, cuts: Cut[]): number {
  let at = skipSpace(bytes, start);
  while (bytes[at] !== CLOSE_BRACKET) {
    at = findCuts(bytes, at, cuts);
    if (at === INVALID) return INVALID;
    at = skipSpace(bytes, at);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return at + 1;
}
