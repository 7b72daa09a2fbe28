/** A payload's bytes as the sensor recorded them. */
export interface Payload {
  readonly bytes: Uint8Array;
  /** The number of bytes that are left out. */
  readonly cutBytes: number;
}

/** The page shows this much of one payload. Spip captures 16 KiB. */
const maxShownBytes = 64 * 1024;
const bytesPerLine = 16;

/** From `event.original_payload_hex`; undefined if the text is not hexadecimal with whole bytes. */
export function payloadFromHex(hex: string): Payload | undefined {
  if (hex.length === 0 || hex.length % 2 !== 0 || !/^[0-9a-f]+$/i.test(hex)) return undefined;
  const total = hex.length / 2;
  const shown = Math.min(total, maxShownBytes);
  const bytes = new Uint8Array(shown);
  for (let i = 0; i < shown; i++) bytes[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  return { bytes, cutBytes: total - shown };
}

/** From `event.summary`. */
export function payloadFromText(text: string): Payload {
  const all = new TextEncoder().encode(text);
  return { bytes: all.subarray(0, maxShownBytes), cutBytes: Math.max(0, all.length - maxShownBytes) };
}

/** Lines of 16 bytes: offset, hexadecimal, and printable ASCII with dots for other bytes. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += bytesPerLine) {
    const line = bytes.subarray(at, at + bytesPerLine);
    const hex = Array.from(line, (byte) => byte.toString(16).padStart(2, "0"));
    const halves = `${hex.slice(0, 8).join(" ")}  ${hex.slice(8).join(" ")}`.padEnd(48);
    const ascii = Array.from(line, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
    lines.push(`${at.toString(16).padStart(6, "0")}  ${halves}  ${ascii.join("")}`);
  }
  return lines.join("\n");
}

/** The bytes decoded as UTF-8, with U+FFFD for invalid ones. `printableLines` makes the text safe to show. */
export function payloadText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
