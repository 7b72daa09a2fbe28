import { startOf } from "../../text/truncate.ts";

/*
 * User names and passwords as values of columns. The page imports this file too: nothing in it needs Bun or Node.
 */

/** A user name and a password that a source tried; one of them may be missing. */
export interface Credentials {
  readonly user: string | undefined;
  readonly password: string | undefined;
}

export const maxCredentialLength = 128;
const utf8 = new TextDecoder();

/**
 * Credentials of text from outside: truncated, without control characters, well-formed, and in memory of their own.
 * @returns undefined if both are empty
 */
export function credentialsFrom(
  user: string | undefined,
  password: string | undefined,
): Credentials | undefined {
  const clean = { user: cleaned(user), password: cleaned(password) };
  return clean.user === undefined && clean.password === undefined ? undefined : clean;
}

function cleaned(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  let clean = "";
  // Characters are added one by one, because a slice would keep the whole payload in memory.
  for (const character of startOf(text, maxCredentialLength)) if (!isControl(character)) clean += character;
  return clean === "" ? undefined : clean.toWellFormed();
}

/** C0 and C1 controls and DEL. */
function isControl(character: string): boolean {
  const code = character.charCodeAt(0);
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/** The text that base64 stands for; undefined if it is not base64. Padding may be missing. */
export function base64Text(base64: string): string | undefined {
  try {
    return utf8.decode(Uint8Array.fromBase64(base64));
  } catch {
    // Text that is not base64 is an expected input: it is just not credentials.
    return undefined;
  }
}

/** The credentials in "user:password", base64-encoded (RFC 7617). */
export function basicCredentials(base64: string): Credentials | undefined {
  const text = base64Text(base64);
  if (text === undefined) return undefined;
  const colon = text.indexOf(":");
  return colon < 0
    ? credentialsFrom(text, undefined)
    : credentialsFrom(text.slice(0, colon), text.slice(colon + 1));
}
