/**
 * The identity of a payload: the same for payloads that differ only in what changes from one attempt to the next.
 * @returns 16 hexadecimal digits
 */
export function payloadIdentity(payload: Uint8Array): string {
  const text = Buffer.from(payload).toString("latin1").replace(/\d+/g, "0");
  return Bun.hash.xxHash64(text).toString(16).padStart(16, "0");
}
