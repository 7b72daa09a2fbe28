import { base64Sign, isOfClass, isWordByte } from "./character-runs.ts";
import { addressMark, anyMark, type FoldedBytes, numberMark } from "./folded-bytes.ts";

/*
 * Folds lines whose first word says that the rest changes from one attempt to the next: headers of HTTP and SIP, and
 * commands with credentials.
 */

type Fold = (out: FoldedBytes, bytes: Uint8Array, start: number, end: number) => void;

const colon = 0x3a;
const space = 0x20;
const carriageReturn = 0x0d;

function markOf(mark: number): Fold {
  return (out) => out.add(mark);
}

/** Keeps the names of the cookies, which tell what the client takes the server for. */
const foldCookies: Fold = (out, bytes, start, end) => {
  let isValue = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x3b) isValue = false;
    if (!isValue) out.add(byte);
    if (byte !== 0x3d || isValue) continue;
    isValue = true;
    out.add(anyMark);
  }
};

/** Keeps the scheme, such as "Basic". */
const foldAuthorization: Fold = (out, bytes, start, end) => {
  let at = start;
  while (at < end && bytes[at] === space) at++;
  while (at < end && bytes[at] !== space) out.add(bytes[at++] as number);
  out.add(anyMark);
};

/** How the rest of a line is folded that begins with this name and ":". */
const headers = new Map<string, Fold>([
  ["host", markOf(addressMark)],
  ["date", markOf(numberMark)],
  ["cookie", foldCookies],
  ["call-id", markOf(anyMark)],
  ["authorization", foldAuthorization],
  ["proxy-authorization", foldAuthorization],
]);
/** How the rest of a line is folded that begins with this name and " ". */
const commands = new Map<string, Fold>([
  ["user", markOf(anyMark)],
  ["pass", markOf(anyMark)],
  ["auth", markOf(anyMark)],
  ["login", markOf(anyMark)],
]);
const lengths = new Set([...headers.keys(), ...commands.keys()].map(({ length }) => length));
const initials = new Set([...headers.keys(), ...commands.keys()].map((name) => name.charCodeAt(0)));
const maxLength = Math.max(...lengths);

/**
 * Adds a line, folded, if it begins with one of the names.
 * @param start where the line begins
 * @returns where the line break is, or `start` if nothing was added
 */
export function foldHeader(out: FoldedBytes, bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || !initials.has((bytes[start] as number) | 0x20)) return start;
  let nameEnd = start + 1;
  while (nameEnd < end && nameEnd - start <= maxLength && isOfName(bytes[nameEnd] as number)) nameEnd++;
  if (!lengths.has(nameEnd - start)) return start;
  if (bytes[nameEnd] === carriageReturn) return foldBulkAuth(out, bytes, start, nameEnd, end);
  const after = bytes[nameEnd];
  if (nameEnd >= end || (after !== colon && after !== space)) return start;
  const name = nameOf(bytes, start, nameEnd);
  const fold = (after === colon ? headers : commands).get(name);
  if (fold === undefined) return start;
  const valueStart = bytes[nameEnd + 1] === space ? nameEnd + 2 : nameEnd + 1;
  out.addAll(bytes, start, Math.min(valueStart, end));
  const lineEnd = endOfLine(bytes, nameEnd, end);
  fold(out, bytes, valueStart, lineEnd);
  return name === "auth" ? foldLines(out, bytes, lineEnd, end) : lineEnd;
}

/** Adds the two lines that follow AUTH LOGIN of SMTP, if they are base64 alone. */
function foldLines(out: FoldedBytes, bytes: Uint8Array, lineEnd: number, end: number): number {
  let at = lineEnd;
  for (let line = 0; line < 2; line++) {
    const start = bytes[at] === carriageReturn ? at + 2 : at + 1;
    const next = endOfLine(bytes, start, end);
    if (start >= end || !isBase64(bytes, start, next)) break;
    out.addAll(bytes, at, start);
    out.add(anyMark);
    at = next;
  }
  return at;
}

function isBase64(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++)
    if (!isWordByte(bytes[at]) && !isOfClass(bytes[at], base64Sign) && bytes[at] !== 0x3d) return false;
  return end > start && (end - start) % 4 === 0;
}

/** Adds AUTH of Redis and its one or two arguments, each a line with its length and one with its text. */
function foldBulkAuth(
  out: FoldedBytes,
  bytes: Uint8Array,
  start: number,
  nameEnd: number,
  end: number,
): number {
  const count = bytes[0] === 0x2a ? (bytes[1] as number) - 0x31 : 0;
  if ((count !== 1 && count !== 2) || nameOf(bytes, start, nameEnd) !== "auth") return start;
  out.addAll(bytes, start, nameEnd);
  let at = nameEnd;
  for (let value = 0; value < count && bytes[at + 2] === 0x24; value++) {
    at = endOfLine(bytes, endOfLine(bytes, at + 2, end) + 2, end);
    out.add(anyMark);
  }
  return Math.min(at, end);
}

function nameOf(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end)).toLowerCase();
}

function isOfName(byte: number): boolean {
  return isWordByte(byte) || byte === 0x2d;
}

export function endOfLine(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== 0x0d && bytes[at] !== 0x0a) at++;
  return at;
}
