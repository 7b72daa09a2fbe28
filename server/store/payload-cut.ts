import { payloadKey } from "../event/payload.ts";

/*
 * Where a document has the hexadecimal text of its payload. A chunk stores the bytes instead, so that text in payloads is
 * found.
 */

const payloadStart = Buffer.from(`"${payloadKey}":"`);
const payloadKeyText = Buffer.from(payloadKey);
const quote = 0x22;
const backslash = 0x5c;

export interface PayloadCut {
  readonly start: number;
  readonly end: number;
}

/**
 * Where a document has the text of its payload, if it can be stored as bytes: it is `event.original_payload_hex`, written
 * without blanks, and consists of pairs of lower-case digits.
 */
export function payloadCutOf(document: Buffer): PayloadCut | undefined {
  const key = document.indexOf(payloadStart);
  if (key < 0) return undefined;
  const start = key + payloadStart.length;
  const end = document.indexOf(quote, start);
  const isExact = end > start && (end - start) % 2 === 0 && isLowerHex(document, start, end);
  return isExact && isKeyOfEvent(document, key) ? { start, end } : undefined;
}

/** Whether the document has a payload, or another text under the same key, that was not cut out. */
export function hasOtherPayload(document: Buffer, cut: PayloadCut | undefined): boolean {
  return document.includes(payloadKeyText, cut?.end ?? 0);
}

function isLowerHex(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false;
  }
  return true;
}

/** Whether the key that begins at `keyAt` is one of the member "event" of the document, which is valid JSON. */
function isKeyOfEvent(document: Buffer, keyAt: number): boolean {
  let depth = 0;
  let isInEvent = false;
  let lastKeyAt = 0;
  for (let at = 0; at < keyAt; at++) {
    const byte = document[at] as number;
    if (byte === quote) {
      if (depth === 1) lastKeyAt = at;
      at = endOfString(document, at);
    } else if (byte === 0x7b || byte === 0x5b) {
      if (depth === 1) isInEvent = byte === 0x7b && isEventAt(document, lastKeyAt);
      depth++;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return depth === 2 && isInEvent;
}

function endOfString(document: Buffer, start: number): number {
  for (let at = start + 1; ; at++) {
    const byte = document[at];
    if (byte === quote || byte === undefined) return at;
    if (byte === backslash) at++;
  }
}

function isEventAt(document: Buffer, at: number): boolean {
  return document.toString("latin1", at, at + 7) === '"event"';
}
