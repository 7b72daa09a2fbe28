import { CLOSE_BRACKET, OPEN_BRACE, OPEN_BRACKET, QUOTE, skipSpace } from "../json-bytes.ts";
import { elementsOf, findMembers, type Member } from "../json-members.ts";
import { type Addition, membersText } from "./additions.ts";

const LOWER_N = 0x6e;
const openBracket = Buffer.from("[");
const closeBracket = Buffer.from("]");

/** The most elements that a list may have to be searched for those that are added. */
const maxSearchedElements = 256;

/**
 * Merges additions into an object that may already have some of their keys. An addition replaces the value of its own key
 * in place, unless it says otherwise (`ifPresent`); nested objects are merged; every other byte stays. Of duplicate keys the
 * last one is merged, which is the one that parsers use. If the present value of a group such as `as` is neither an object
 * nor null, it stays as it is: replacing it would lose what the sensor reported.
 *
 * @param bytes have an object at `start` that is known to be valid JSON
 * @param end the position after the object's closing brace
 * @param onLeftOut called for each addition that was not merged
 * @param words see wordsOf; without them, strings are skipped byte by byte
 * @returns the bytes of the merged object, including its braces
 */
export function mergeObject(
  bytes: Buffer,
  start: number,
  end: number,
  additions: readonly Addition[],
  onLeftOut: (addition: Addition) => void = () => {},
  words?: Int32Array,
): Buffer {
  const keys = additions.map(({ key }) => key);
  const { members, isEmpty } = findMembers(bytes, start, keys, words);
  const pieces: Buffer[] = [];
  const missing: Addition[] = [];
  const replacements: { member: Member; value: Buffer }[] = [];
  for (const addition of additions) {
    const member = members.findLast((candidate) => candidate.key === addition.key);
    if (member === undefined) missing.push(addition);
    else {
      const value = mergedValue(bytes, member, addition, onLeftOut, words);
      if (value) replacements.push({ member, value });
      else onLeftOut(addition);
    }
  }
  replacements.sort((a, b) => a.member.valueStart - b.member.valueStart);

  let copied = start;
  for (const { member, value } of replacements) {
    pieces.push(bytes.subarray(copied, member.valueStart), value);
    copied = member.valueEnd;
  }
  pieces.push(bytes.subarray(copied, end - 1));
  if (missing.length > 0) pieces.push(Buffer.from((isEmpty ? "" : ",") + membersText(missing)));
  pieces.push(bytes.subarray(end - 1, end));
  return Buffer.concat(pieces);
}

/** The bytes that replace a member's value; undefined: it stays. */
function mergedValue(
  bytes: Buffer,
  member: Member,
  addition: Addition,
  onLeftOut: (addition: Addition) => void,
  words: Int32Array | undefined,
): Buffer | undefined {
  const { value, ifPresent } = addition;
  if (ifPresent === "keep") return undefined;
  if (ifPresent === "extend") return extendedList(bytes, member, addition);
  if (typeof value === "string") return Buffer.from(value);
  switch (bytes[member.valueStart]) {
    case OPEN_BRACE:
      return mergeObject(bytes, member.valueStart, member.valueEnd, value, onLeftOut, words);
    case LOWER_N: // null
      return Buffer.from(`{${membersText(value)}}`);
    default:
      return undefined;
  }
}

/** A list with the elements of an addition that it does not have yet. A single text becomes a list; null becomes the addition. */
function extendedList(
  bytes: Buffer,
  { valueStart, valueEnd }: Member,
  addition: Addition,
): Buffer | undefined {
  if (typeof addition.value !== "string") throw new Error("BUG: only lists can be extended");
  const value = Buffer.from(addition.value);
  const first = bytes[valueStart];
  if (first === LOWER_N) return value;
  if (first !== QUOTE && first !== OPEN_BRACKET) return undefined;
  const present =
    first === QUOTE
      ? Buffer.concat([openBracket, bytes.subarray(valueStart, valueEnd), closeBracket])
      : bytes.subarray(valueStart, valueEnd);
  const known = new Set(
    elementsOf(present, 0, maxSearchedElements).map(([start, end]) => present.toString("utf8", start, end)),
  );
  const added = elementsOf(value, 0, maxSearchedElements)
    .map(([start, end]) => value.toString("utf8", start, end))
    .filter((element) => !known.has(element));
  if (added.length === 0) return present;
  const isEmpty = present[skipSpace(present, 1)] === CLOSE_BRACKET;
  return Buffer.concat([present.subarray(0, -1), Buffer.from(`${isEmpty ? "" : ","}${added.join(",")}]`)]);
}
