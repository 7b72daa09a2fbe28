import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

export interface Session {
  /** Random, and the same in every renewed cookie of a session. */
  readonly id: string;
  readonly signedInAt: number;
  readonly expiresAt: number;
}

/** Turns sessions into cookie values that nobody else can make, and back. */
export interface SessionSeal {
  seal(session: Session): string;
  /** undefined: not made by this seal. Whether the session is over is another question. */
  open(value: string): Session | undefined;
}

const idBytes = 32;
const keyBytes = 32;

/** 32 bytes in base64url, twice a time in base 36, and the signature: 32 bytes. */
const shape = /^(([\w-]{43})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11}))\.([\w-]{43})$/;

/**
 * The key is derived from the admin token: with it a session outlives a restart, and another token ends them all.
 * Without one it is random, as long as this process lives.
 */
export function createSessionSeal(adminToken: string | undefined): SessionSeal {
  const secret = adminToken ?? randomBytes(keyBytes);
  const key = Buffer.from(hkdfSync("sha256", secret, "", "loom session cookie 1", keyBytes));
  const signatureOf = (text: string) => createHmac("sha256", key).update(text).digest();
  return {
    seal({ id, signedInAt, expiresAt }) {
      const text = `${id}.${signedInAt.toString(36)}.${expiresAt.toString(36)}`;
      return `${text}.${signatureOf(text).toString("base64url")}`;
    },
    open(value) {
      const [, text = "", id = "", signedInAt = "", expiresAt = "", signature = ""] = shape.exec(value) ?? [];
      if (!timingSafeEqual(digestFrom(signature), signatureOf(text))) return undefined;
      return { id, signedInAt: Number.parseInt(signedInAt, 36), expiresAt: Number.parseInt(expiresAt, 36) };
    },
  };
}

export function newSessionId(): string {
  return randomBytes(idBytes).toString("base64url");
}

/** As long as a signature whatever the text was: zeros where it was none, which no HMAC is. */
function digestFrom(text: string): Buffer {
  const digest = Buffer.alloc(keyBytes);
  Buffer.from(text, "base64url").copy(digest);
  return digest;
}
