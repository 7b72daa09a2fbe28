/*
 * The payload of an event: the bytes that the source sent first. Spip writes them as hexadecimal text into
 * `event.original_payload_hex`. The page imports this file too: nothing in it needs Bun or Node.
 */

/** The key under which Spip stores the payload. */
export const payloadKey = "original_payload_hex";

/**
 * The payload of an event.
 * @param document as JSON.parse returns it
 * @returns undefined if the event has none, or text that is not pairs of hexadecimal digits
 */
export function payloadOf(document: unknown): Uint8Array | undefined {
  const hex = payloadHexOf(document);
  return hex === undefined ? undefined : bytesOfHex(hex);
}

function payloadHexOf(document: unknown): string | undefined {
  const event = ownMember(document, "event");
  const hex = ownMember(event, payloadKey);
  return typeof hex === "string" && hex !== "" ? hex : undefined;
}

function ownMember(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function bytesOfHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0 || !/^[\da-f]+$/i.test(hex)) return undefined;
  return Uint8Array.fromHex(hex);
}
