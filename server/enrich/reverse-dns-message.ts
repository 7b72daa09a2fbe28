import { isIPv4, isIPv6 } from "node:net";
import { ipAddressText } from "../ip-address.ts";

/** A resolver's answer: what the usable records say, that there is no record, or nothing usable. */
export type DnsAnswer =
  | { readonly kind: "found"; readonly values: readonly [string, ...string[]] }
  | { readonly kind: "notFound" }
  | { readonly kind: "failed" };

/** RFC 1035, 3.2.2; RFC 3596, 2.1. */
export const recordTypes = { a: 1, ptr: 12, aaaa: 28 } as const;
export type RecordType = (typeof recordTypes)[keyof typeof recordTypes];

const headerBytes = 12;
/** More do not fit into the 512 bytes of an answer over UDP (RFC 1035, 4.2.1). */
const maxRecords = 64;
const classIn = 1;
const rcodeNoError = 0;
const rcodeNameError = 3;
const maxNameLength = 253;
const maxLabelBytes = 63;

/**
 * The domain name that holds the PTR records of an address: `4.3.2.1.in-addr.arpa` (RFC 1035, 3.5), or 32 nibbles and
 * `ip6.arpa` (RFC 3596, 2.5). Undefined if the text is not an address.
 */
export function ptrName(address: string): string | undefined {
  if (isIPv4(address)) return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  // A zone ("fe80::1%eth0") has a meaning only on one machine.
  if (!isIPv6(address) || address.includes("%")) return undefined;
  return `${[...ipv6Digits(address)].reverse().join(".")}.ip6.arpa`;
}

function ipv6Digits(address: string): string {
  // The URL parser rewrites a dotted tail ("64:ff9b::1.2.3.4") in hexadecimal.
  const plain = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail = ""] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join("");
}

/**
 * Encodes a question for the records of a name as a DNS message with recursion desired (RFC 1035, 4.1).
 * @param id 0 to 65535
 * @param name from ptrName or from an answer
 */
export function encodeQuestion(id: number, name: string, type: RecordType): Buffer {
  const labels = name.split(".").map((label) => Buffer.from(`\0${label}`, "latin1"));
  for (const label of labels) label[0] = label.length - 1;
  const header = Buffer.from([id >> 8, id & 0xff, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, classIn])]);
}

/**
 * Reads a resolver's answer to a question from encodeQuestion.
 * @returns the names of PTR records, or the addresses of A and AAAA records as ipAddressText spells them. Undefined if the
 *   message does not answer this question: it may be forged, so the caller must keep listening. Records of any owner name
 *   are read, because an address may be delegated through a CNAME (RFC 2317)
 */
export function readAnswer(message: Buffer, question: Buffer): DnsAnswer | undefined {
  if (message.length < headerBytes || message.readUInt16BE(0) !== question.readUInt16BE(0)) return undefined;
  const isPlainAnswer = (message.readUInt8(2) & 0xf8) === 0x80;
  if (!isPlainAnswer) return undefined;
  const rcode = message.readUInt8(3) & 0x0f;
  const questionCount = message.readUInt16BE(4);
  // Some servers refuse with a message that has only a header.
  if (questionCount === 0 && rcode !== rcodeNoError) return { kind: "failed" };
  if (questionCount !== 1 || !repeatsQuestion(message, question)) return undefined;

  if (rcode === rcodeNameError) return { kind: "notFound" };
  if (rcode !== rcodeNoError) return { kind: "failed" };
  return readRecords(message, question.length, question.readUInt16BE(question.length - 4));
}

/** Names are compared without regard to case (RFC 4343): some resolvers repeat the question in other case. */
function repeatsQuestion(message: Buffer, question: Buffer): boolean {
  // Only letters change: the length of a label is at most 63, which is below "A", and type and class are small too.
  const inLowerCase = (bytes: Buffer) => bytes.toString("latin1", headerBytes, question.length).toLowerCase();
  return inLowerCase(message) === inLowerCase(question);
}

function readRecords(message: Buffer, start: number, type: number): DnsAnswer {
  const isTruncated = (message.readUInt8(2) & 0x02) !== 0;
  const recordCount = Math.min(message.readUInt16BE(6), maxRecords);
  const values: string[] = [];
  let isAnyUnread = isTruncated;
  let at = start;
  for (let index = 0; index < recordCount; index++) {
    const fields = skipName(message, at);
    const data = (fields ?? message.length) + 10;
    if (fields === undefined || data > message.length) return answerWith(values, true);
    const length = message.readUInt16BE(fields + 8);
    at = data + length;
    if (at > message.length) return answerWith(values, true);
    if (message.readUInt16BE(fields) !== type || message.readUInt16BE(fields + 2) !== classIn) continue;
    const value =
      type === recordTypes.ptr ? readHostname(message, data) : readAddress(message, data, length, type);
    if (value === undefined) isAnyUnread = true;
    else values.push(value);
  }
  return answerWith(values, isAnyUnread);
}

/** @param isAnyUnread whether there are records of the type that could not be read, or may be */
function answerWith([first, ...others]: readonly string[], isAnyUnread: boolean): DnsAnswer {
  if (first !== undefined) return { kind: "found", values: [first, ...others] };
  return { kind: isAnyUnread ? "failed" : "notFound" };
}

/** The address of an A or AAAA record; undefined if it has a wrong length. */
function readAddress(message: Buffer, start: number, length: number, type: number): string | undefined {
  if (length !== (type === recordTypes.a ? 4 : 16)) return undefined;
  return ipAddressText(Array.from({ length: length / 2 }, (_, i) => message.readUInt16BE(start + i * 2)));
}

/** The position after the name at `start`; undefined if the message ends before the name does. */
function skipName(message: Buffer, start: number): number | undefined {
  let at = start;
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
}

/**
 * The hostname at `start`, with its compression resolved (RFC 1035, 4.1.4); undefined if it is malformed or not a
 * hostname. The owner of an address chooses its PTR name, so only letters, digits, `-` and `_` are accepted: no escape
 * sequence, no markup, no dot inside a label.
 */
function readHostname(message: Buffer, start: number): string | undefined {
  let name = "";
  let at = start;
  // Every pointer must point further back than the one before, so that there is no endless loop.
  let earliest = start;
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return name === "" ? undefined : name;
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) return undefined;
      at = ((length & 0x3f) << 8) | low;
      if (at >= earliest) return undefined;
      earliest = at;
      continue;
    }
    if (length > maxLabelBytes || at + 1 + length > message.length) return undefined;
    const label = message.toString("latin1", at + 1, at + 1 + length);
    if (!/^[A-Za-z0-9_-]+$/.test(label)) return undefined;
    name = name === "" ? label : `${name}.${label}`;
    if (name.length > maxNameLength) return undefined;
    at += 1 + length;
  }
}
