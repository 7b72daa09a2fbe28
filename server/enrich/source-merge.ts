import { COMMA, OPEN_BRACE, QUOTE, skipColon, skipSpace, skipString, skipValue } from "../json-bytes.ts";
import { type Addition, memberText } from "./additions.ts";

interface Member {
  readonly key: string;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * Merges additions into an object that may already have some of their keys. An addition replaces the value of its own key
 * in place; nested objects are merged; every other byte stays. Of duplicate keys the last one is merged, which is the
 * one that parsers use. If the present value of a group such as `as` is neither an object nor null, it stays as it is:
 * replacing it would lose what the sensor reported.
 *
 * @param bytes holds an object at `start` that is known to be valid JSON
 * @param onLeftOut called for each addition that was not merged
 * @returns the bytes of the merged object, including its braces
 */
export function mergeObject(
  bytes: Buffer,
  start: number,
  end: number,
  additions: readonly Addition[],
  onLeftOut: (addition: Addition) => void = () => {},
): Buffer {
  const members = membersOf(bytes, start);
  const pieces: Buffer[] = [];
  const missing: Addition[] = [];
  const replacements: { member: Member; value: Buffer }[] = [];
  for (const addition of additions) {
    const member = members.findLast((candidate) => candidate.key === addition.key);
    if (member === undefined) missing.push(addition);
    else {
      const value = mergedValue(bytes, member, addition, onLeftOut);
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
  if (missing.length > 0) {
    const comma = members.length > 0 ? "," : "";
    pieces.push(Buffer.from(comma + missing.map(memberText).join(",")));
  }
  pieces.push(bytes.subarray(end - 1, end));
  return Buffer.concat(pieces);
}

/** The bytes that replace a member's value; undefined: it stays. */
function mergedValue(
  bytes: Buffer,
  member: Member,
  addition: Addition,
  onLeftOut: (addition: Addition) => void,
): Buffer | undefined {
  if (Buffer.isBuffer(addition.value)) return addition.value;
  switch (bytes[member.valueStart]) {
    case OPEN_BRACE:
      return mergeObject(bytes, member.valueStart, member.valueEnd, addition.value, onLeftOut);
    case 0x6e: // null
      return Buffer.from(`{${addition.value.map(memberText).join(",")}}`);
    default:
      return undefined;
  }
}

function membersOf(bytes: Buffer, start: number): Member[] {
  const members: Member[] = [];
  let at = skipSpace(bytes, start + 1);
  while (bytes[at] === QUOTE) {
    const keyStart = at;
    at = skipString(bytes, at + 1);
    const key: string = JSON.parse(bytes.toString("utf8", keyStart, at));
    const valueStart = skipColon(bytes, at);
    const valueEnd = skipValue(bytes, valueStart, 0);
    members.push({ key, valueStart, valueEnd });
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return members;
}
