import { anyMark, type FoldedBytes } from "./folded-bytes.ts";
import { foldText } from "./text.ts";

/*
 * Folds payloads of binary protocols: what a client chooses at random is left out. A payload of an unknown protocol is folded
 * as text, except where its bytes look random.
 */

/** Reads big-endian numbers of a payload. Bytes after its end are 0. */
class Reader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  skip(size: number): void {
    this.at += size;
  }

  /** @param size in bytes, up to 4 */
  number(size: number): number {
    let value = 0;
    for (const last = this.at + size; this.at < last; this.at++)
      value = value * 256 + (this.at < this.end ? (this.bytes[this.at] as number) : 0);
    return value;
  }
}

/**
 * ClientHello of TLS (RFC 8446, section 4.1.2): the version, the cipher suites in their order, and the types of the extensions
 * in any order, because Chrome changes it. Left out: the random bytes, the session id, GREASE (RFC 8701), padding and
 * pre_shared_key, which only some connections to the same server have, and all values of extensions.
 */
export function foldClientHello(out: FoldedBytes, bytes: Uint8Array, end: number): void {
  out.addAll(bytes, 0, 3);
  out.addAll(bytes, 9, Math.min(11, end));
  const reader = new Reader(bytes, 11 + 32, end);
  reader.skip(reader.number(1));
  const cipherBytes = reader.number(2);
  const ciphersEnd = Math.min(reader.at + cipherBytes, end);
  while (reader.at < ciphersEnd) {
    const cipher = reader.number(2);
    if (isGrease(cipher)) continue;
    out.add(cipher >>> 8);
    out.add(cipher & 0xff);
  }
  reader.skip(reader.number(1));
  reader.skip(2);
  let sum = 0;
  while (reader.at < end) {
    const type = reader.number(2);
    reader.skip(reader.number(2));
    if (!isGrease(type) && type !== padding && type !== preSharedKey)
      sum += Math.imul(type + 1, 0x9e3779b1) >>> 7;
  }
  for (let shift = 0; shift < 32; shift += 8) out.add((sum >>> shift) & 0xff);
}

const padding = 21;
const preSharedKey = 41;

function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >>> 8 === (value & 0xff);
}

/**
 * Identification string of SSH and the packet SSH_MSG_KEXINIT after it (RFC 4253, section 7.1). Left out: the length, the
 * cookie, and the padding.
 */
export function foldSsh(out: FoldedBytes, bytes: Uint8Array, end: number): void {
  const lineEnd = bytes.subarray(0, end).indexOf(0x0a) + 1 || end;
  foldText(out, bytes, 0, lineEnd);
  if (bytes[lineEnd + 5] !== 20) {
    foldText(out, bytes, lineEnd, end);
    return;
  }
  const reader = new Reader(bytes, lineEnd + 6 + 16, end);
  for (let list = 0; list < 10 && reader.at < end; list++) {
    const listBytes = reader.number(4);
    const listEnd = Math.min(reader.at + listBytes, end);
    out.addAll(bytes, reader.at, listEnd);
    out.add(0);
    reader.at = listEnd;
  }
}

/**
 * SMB after the 4 bytes of NetBIOS. Left out: the length, the ids of process, tree, user, session and message, the signature,
 * and the client's GUID and what follows the dialects in NEGOTIATE of SMB 2 ([MS-SMB2] 2.2.1, 2.2.3).
 */
export function foldSmb(out: FoldedBytes, bytes: Uint8Array, end: number): void {
  const header = 4;
  out.addAll(bytes, header, header + 5);
  if (bytes[header] === 0xff) {
    out.addAll(bytes, Math.min(header + 9, end), Math.min(header + 12, end));
    foldText(out, bytes, header + 32, end);
    return;
  }
  out.addAll(bytes, header + 12, header + 14);
  const body = header + 64;
  const isNegotiate = bytes[header + 12] === 0 && bytes[header + 13] === 0;
  if (!isNegotiate) foldText(out, bytes, body, end);
  else {
    const dialects = (bytes[body + 2] ?? 0) + (bytes[body + 3] ?? 0) * 256;
    out.addAll(bytes, Math.min(body + 2, end), Math.min(body + 12, end));
    out.addAll(bytes, Math.min(body + 36, end), Math.min(body + 36 + dialects * 2, end));
  }
}

const windowBytes = 32;
/** Of 32 random bytes, 30 are different and 16 above 0x7f on average. */
const minDifferent = 26;
const minHigh = 8;

/** Folds a payload of another binary protocol, from `start`: windows of 32 bytes that look random, and text between them. */
export function foldBinary(out: FoldedBytes, bytes: Uint8Array, start: number, end: number): void {
  let textStart = start;
  let isAfterRandom = false;
  for (let at = start; at < end; at += windowBytes) {
    // The rest after random bytes is too short to be examined.
    const isRandom: boolean = at + windowBytes <= end ? looksRandom(bytes, at) : isAfterRandom;
    if (isRandom) {
      if (textStart < at) foldText(out, bytes, textStart, at);
      if (!isAfterRandom) out.add(anyMark);
      textStart = Math.min(at + windowBytes, end);
    }
    isAfterRandom = isRandom;
  }
  foldText(out, bytes, textStart, end);
}

/** The position of a window in which each byte was seen last, and -1. */
const lastSeen = new Float64Array(256);
let window = 0;

function looksRandom(bytes: Uint8Array, start: number): boolean {
  window++;
  let different = 0;
  let high = 0;
  for (let at = start; at < start + windowBytes; at++) {
    const byte = bytes[at] as number;
    if (lastSeen[byte] !== window) different++;
    lastSeen[byte] = window;
    high += byte >>> 7;
  }
  return different >= minDifferent && high >= minHigh;
}
