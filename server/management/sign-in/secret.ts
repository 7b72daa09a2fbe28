import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Creates a function that compares candidates with a secret. It compares digests in constant time, so that neither its
 * duration nor the lengths reveal how much of a candidate is right.
 */
export function createSecretCheck(secret: string): (candidate: string) => boolean {
  const wanted = digestOf(secret);
  return (candidate) => timingSafeEqual(digestOf(candidate), wanted);
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
