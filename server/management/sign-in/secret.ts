import { createHash, timingSafeEqual } from "node:crypto";

/**
 * A check of candidates for one secret. Digests are compared, in constant time: neither the time nor the length tells
 * how much of a candidate was right.
 */
export function createSecretCheck(secret: string): (candidate: string) => boolean {
  const wanted = digestOf(secret);
  return (candidate) => timingSafeEqual(digestOf(candidate), wanted);
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
