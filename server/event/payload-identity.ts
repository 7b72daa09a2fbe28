import { loginLinesOf } from "./credentials/login-lines.ts";
import { foldBinary, foldClientHello, foldSmb, foldSsh } from "./identity/binary.ts";
import { FoldedBytes } from "./identity/folded-bytes.ts";
import { foldText } from "./identity/text.ts";

/*
 * The identity of a payload. Payloads that differ only in what changes from one attempt to the next are folded to the same
 * bytes, whose hash is the identity. docs/payloads.md describes the rules; the protocols are told apart here. The page imports
 * this file too: nothing in it needs Bun or Node.
 */

/** More of a payload is not examined. */
export const maxIdentityBytes = 4_096;
/** An address of a URL may be empty, so that a mark is added and nothing is left out. */
const folded = new FoldedBytes(maxIdentityBytes * 2);

/**
 * The identity of a payload: the same for payloads that differ only in what changes from one attempt to the next.
 * @returns 16 hexadecimal digits
 */
export function payloadIdentity(payload: Uint8Array): string {
  fold(payload);
  return folded.hash();
}

/** What is left of a payload, of which the identity is the hash: for tests and for explanations. */
export function foldedPayload(payload: Uint8Array): Uint8Array {
  fold(payload);
  return folded.copy();
}

/** The index of a kind is the first byte, so that payloads of two kinds are never the same. It never changes. */
const kinds = ["text", "login", "binary", "tls hello", "ssh", "smb", "rdp request", "dns over tcp"] as const;
type Kind = (typeof kinds)[number];

function fold(payload: Uint8Array): void {
  const end = Math.min(payload.length, maxIdentityBytes);
  const login = loginLinesOf(payload);
  const kind = login ? "login" : kindOf(payload, end);
  folded.clear();
  folded.add(kinds.indexOf(kind));
  if (login) {
    foldBinary(folded, payload, 0, login.start);
    foldText(folded, payload, login.end, end);
  } else foldKind(kind, payload, end);
}

function foldKind(kind: Kind, payload: Uint8Array, end: number): void {
  if (kind === "tls hello") foldClientHello(folded, payload, end);
  else if (kind === "ssh") foldSsh(folded, payload, end);
  else if (kind === "smb") foldSmb(folded, payload, end);
  // Without the lengths of the packet and of its header (RFC 1006, X.224).
  else if (kind === "rdp request") foldBinary(folded, payload, 5, end);
  // Without the length and the id of the message (RFC 1035, section 4.1.1).
  else if (kind === "dns over tcp") foldBinary(folded, payload, 4, end);
  else if (kind === "binary") foldBinary(folded, payload, 0, end);
  else foldText(folded, payload, 0, end);
}

function kindOf(bytes: Uint8Array, end: number): Kind {
  if (bytes[0] === 0x16 && bytes[1] === 3 && bytes[5] === 1) return "tls hello";
  if (hasTextAt(bytes, 0, "SSH-")) return "ssh";
  if (bytes[0] === 0 && (bytes[4] === 0xff || bytes[4] === 0xfe) && hasTextAt(bytes, 5, "SMB")) return "smb";
  if (bytes[0] === 3 && bytes[1] === 0 && ((bytes[5] as number) & 0xf0) === 0xe0) return "rdp request";
  if (isDnsQuery(bytes)) return "dns over tcp";
  return isBinary(bytes, end) ? "binary" : "text";
}

function hasTextAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Whether the first two bytes are the length of the others, and these a query with one question and no answer. */
function isDnsQuery(bytes: Uint8Array): boolean {
  if (bytes.length < 2 + 12 + 5 || ((bytes[0] as number) << 8) + (bytes[1] as number) !== bytes.length - 2)
    return false;
  return ((bytes[4] as number) & 0x80) === 0 && hasTextAt(bytes, 6, "\0\x01\0\0");
}

const examinedBytes = 64;

/** Whether the beginning has a control character that text does not have, or more than a quarter of other bytes. */
function isBinary(bytes: Uint8Array, end: number): boolean {
  const last = Math.min(end, examinedBytes);
  let high = 0;
  for (let at = 0; at < last; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) high++;
    else if (byte < 0x20 && !isControlOfText(byte)) return true;
  }
  return high * 4 > last;
}

/** Tab, line feed, carriage return, escape. */
function isControlOfText(byte: number): boolean {
  return byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x1b;
}
