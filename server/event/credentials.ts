import { type Credentials, credentialsFrom } from "./credentials/credential-text.ts";
import { loginLinesOf } from "./credentials/login-lines.ts";
import {
  authorizationCredentials,
  commandCredentials,
  formOrJsonCredentials,
  isRequest,
  requestCredentials,
} from "./credentials/text-protocols.ts";
import { member } from "./event-fields.ts";

/*
 * The user name and the password that a source tried. docs/payloads.md lists where they are looked for. The page imports this
 * file too: nothing in it needs Bun or Node.
 */

export type { Credentials };

/** More of a payload is not examined. */
const maxExaminedBytes = 4_096;
/** A request may have credentials anywhere; of other protocols they are at the beginning. */
const maxCommandBytes = 512;
const utf8 = new TextDecoder();

/** The credentials in an event. @param document as JSON.parse returns it @param payload as payloadOf(document) returns it */
export function credentialsOf(document: unknown, payload: Uint8Array | undefined): Credentials | undefined {
  return (payload && payloadCredentials(payload)) ?? documentCredentials(document);
}

function payloadCredentials(payload: Uint8Array): Credentials | undefined {
  const first = payload[0] ?? 0;
  // Remote Desktop and Postgres. Other protocols with credentials begin with a printable character, telnet also with options.
  if (first === 3) return cookieCredentials(textOf(payload, maxCommandBytes));
  if (first === 0) return postgresCredentials(textOf(payload, maxCommandBytes));
  const lines = loginLinesOf(payload);
  if (lines) return credentialsFrom(lines.user, lines.password);
  if (first < 0x21 || first > 0x7e) return undefined;
  const text = textOf(payload, maxExaminedBytes);
  return isRequest(text) ? requestCredentials(text) : commandCredentials(text.slice(0, maxCommandBytes));
}

/** The cookie of a connection request of Remote Desktop ([MS-RDPBCGR] 2.2.1.1), which begins with the name of the user. */
function cookieCredentials(text: string): Credentials | undefined {
  return credentialsFrom(/\bmstshash=([^\r\n]*)/.exec(text)?.[1], undefined);
}

/** StartupMessage of Postgres 3: its length, the version, then names and values that each end with NUL. */
function postgresCredentials(text: string): Credentials | undefined {
  if (!text.startsWith("\0\x03\0\0", 4)) return undefined;
  const [, ...parts] = text.slice(7).split("\0");
  const name = parts.findIndex((part, i) => i % 2 === 0 && part === "user");
  return name < 0 ? undefined : credentialsFrom(parts[name + 1], undefined);
}

/** The credentials in the fields of Spip for HTTP, and a user of ECS. */
function documentCredentials(document: unknown): Credentials | undefined {
  const request = member(member(document, "http"), "request");
  if (request !== undefined) {
    const [scheme, value] = textOrEmpty(member(member(request, "headers"), "authorization")).split(
      / +(.*)/,
      2,
    );
    const found =
      (scheme && value && authorizationCredentials(scheme, value)) ||
      formOrJsonCredentials(textOrEmpty(member(member(request, "body"), "content")));
    if (found) return found;
  }
  const name = textOrEmpty(member(member(document, "user"), "name"));
  return name === "" ? undefined : credentialsFrom(name, undefined);
}

function textOrEmpty(value: unknown): string {
  return typeof value === "string" ? value.slice(0, maxExaminedBytes) : "";
}

function textOf(payload: Uint8Array, maxBytes: number): string {
  return utf8.decode(payload.subarray(0, maxBytes));
}
