import { base64Text, basicCredentials, type Credentials, credentialsFrom } from "./credential-text.ts";
import { formCredentials, jsonCredentials } from "./form-fields.ts";

/*
 * Credentials in requests of HTTP and SIP, and in commands of FTP, POP3, IMAP, SMTP and Redis. The page imports this file too:
 * nothing in it needs Bun or Node.
 */

const request = /^[A-Z]{3,16} (\S+) (?:HTTP|SIP|RTSP)\/\d/;
const authorization = /\n(?:proxy-)?authorization:[ \t]*(\w+)[ \t]+([^\r\n]+)/i;
const digestUser = /\busername="([^"]*)"/i;
const query = /\?([^#]*)/;
const endOfHead = /\r?\n\r?\n/;

export function isRequest(text: string): boolean {
  return request.test(text);
}

/** Credentials in the header or the body of a request, or in its query. @param text of which isRequest is true */
export function requestCredentials(text: string): Credentials | undefined {
  const target = request.exec(text)?.[1] ?? "";
  const [, scheme, value] = authorization.exec(text) ?? [];
  const found =
    scheme !== undefined && value !== undefined ? authorizationCredentials(scheme, value) : undefined;
  if (found) return found;
  const ofQuery = target.includes("=") ? formCredentials(query.exec(target)?.[1] ?? "") : undefined;
  return ofQuery ?? bodyCredentials(text);
}

/** @param value what follows the scheme */
export function authorizationCredentials(scheme: string, value: string): Credentials | undefined {
  switch (scheme.toLowerCase()) {
    case "basic":
      return basicCredentials(value.trim());
    case "digest":
      return credentialsFrom(digestUser.exec(value)?.[1], undefined);
    default:
      return undefined;
  }
}

function bodyCredentials(text: string): Credentials | undefined {
  const end = text.startsWith("POST") || text.startsWith("PUT") ? endOfHead.exec(text) : null;
  return end ? formOrJsonCredentials(text.slice(end.index + end[0].length)) : undefined;
}

export function formOrJsonCredentials(body: string): Credentials | undefined {
  if (body.startsWith("{")) return jsonCredentials(body);
  return body.includes("=") ? formCredentials(body.trimEnd()) : undefined;
}

/** FTP and POP3. The name has no spaces, which tells them apart from the command USER of IRC. */
const user = /^USER (\S+)\r?$/im;
const password = /^PASS ([^\r\n]+)/im;
const imap = /^[a-z\d.]{1,16} LOGIN (?:"([^"\r\n]*)"|(\S+)) (?:"([^"\r\n]*)"|(\S+))\r?$/im;
const smtp = /^AUTH (PLAIN|LOGIN)(?: ([\w+/=]+))?(?:\r?\n([\w+/=]+)\r?$)?(?:\r?\n([\w+/=]+)\r?$)?/im;
/** Redis. The mechanisms are those of SMTP, POP3 and FTP. */
const auth =
  /^AUTH (?!(?:TLS|SSL|TLS-C|PLAIN|LOGIN|NTLM|GSSAPI|CRAM-MD5|DIGEST-MD5|XOAUTH2|KERBEROS_V4)\b)(\S+)(?: (\S+))?\r?$/im;
const auths = /^\*[23]\r\n\$4\r\nAUTH\r\n\$\d+\r\n([^\r\n]*)\r\n(?:\$\d+\r\n([^\r\n]*)\r\n)?/i;

/** True for all texts with one of the commands: most texts have none, and one expression is faster than five. */
const mayHaveCommand = /^(?:USER|PASS|AUTH|[a-z\d.]{1,16} LOGIN)[ \r]/im;

/** Credentials in the lines of a text, of which one has to be a command. */
export function commandCredentials(text: string): Credentials | undefined {
  if (!mayHaveCommand.test(text)) return undefined;
  const [name, secret] = [user.exec(text)?.[1], password.exec(text)?.[1]];
  if (name !== undefined || secret !== undefined) return credentialsFrom(name, secret);
  const login = imap.exec(text);
  if (login) return credentialsFrom(login[1] ?? login[2], login[3] ?? login[4]);
  const mail = smtp.exec(text);
  if (mail) return saslCredentials(mail[1] ?? "", [mail[2], mail[3], mail[4]]);
  return redisCredentials(auths.exec(text) ?? auth.exec(text));
}

function saslCredentials(
  mechanism: string,
  values: readonly (string | undefined)[],
): Credentials | undefined {
  const [first, second] = values.filter((value) => value !== undefined).map(base64Text);
  if (mechanism.toUpperCase() === "LOGIN") return credentialsFrom(first, second);
  // The identity to act as, the user, and the password, separated by NUL (RFC 4616).
  const [, name, secret] = first?.split("\0") ?? [];
  return credentialsFrom(name, secret);
}

/** With one argument, it is the password. */
function redisCredentials(match: RegExpExecArray | null): Credentials | undefined {
  if (!match) return undefined;
  const [, first, second] = match;
  return second === undefined ? credentialsFrom(undefined, first) : credentialsFrom(first, second);
}
