import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

export interface Session {
  /** A random id, which all cookies of a session share. */
  readonly id: string;
  readonly signedInAt: number;
  readonly expiresAt: number;
}

/** Signs sessions as cookie values, and reads values that it signed. */
export interface SessionSeal {
  seal(session: Session): string;
  /** @returns undefined if the value was not signed with this key. It does not check whether the session is over. */
  open(value: string): Session | undefined;
}

const idBytes = 32;
const keyBytes = 32;

/** The id (32 bytes in base64url), two times in base 36, and the signature (32 bytes). */
const shape = /^(([\w-]{43})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11}))\.([\w-]{43})$/;

/**
 * The key is derived from the admin token, so that sessions survive a restart, and changing the token ends all of them.
 * Without an admin token the key is random, and sessions end with the process.
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

/** Always as long as a signature; zeros, which match no signature, if the text is not one. */
function digestFrom(text: string): Buffer {
  const digest = Buffer.alloc(keyBytes);
  Buffer.from(text, "base64url").copy(digest);
  return digest;
}
