/*
 * Answers to "login:" and "Password:" that a client sends without waiting for the questions, as bots of telnet do. The page
 * imports this file too: nothing in it needs Bun or Node.
 */

export interface LoginLines {
  readonly user: string;
  readonly password: string | undefined;
  /** Where the lines begin in the payload: after the negotiation of options. */
  readonly start: number;
  readonly end: number;
}

const lineEnd = "(?:\\r\\n|\\r\\0|\\n)";
/** Commands of several protocols. None is a name of a user, and the first two lines of a payload may be two of them. */
const commands =
  "enable|system|shell|sh|linuxshell|start|su|cat|cd|echo|ls|id|uname|ping|quit|exit|help|hello|helo|ehlo|info|version|" +
  "stats?|list|noop|capability|user|pass|auth|login|get|post|head|options|config|command|monitor|flushall";
/** What bots send after the password. */
const afterLogin = "enable|system|shell|sh|linuxshell|start|su|cat|cd|echo|busybox|/bin/";
const twoLines = new RegExp(
  `^(?!(?:${commands})\\r?\\n)([a-z\\d][\\w.@$-]{0,31})${lineEnd}([\\x21-\\x7e]{1,32})${lineEnd}(?=$|(?:${afterLogin}))`,
  "i",
);
/** One line is a user name only if it is one of those that bots try most. */
const oneLine = new RegExp(
  `^(root|admin|administrator|guest|support|user1?|ubnt|pi|supervisor|service|tech|default|oracle|postgres|test|ftp|` +
    `telnetadmin|telecomadmin|e8ehome|mother|888888|666666|daemon|operator|super|vizxv|xc3511)${lineEnd}$`,
  "i",
);
/** Both lines, and the beginning of a third one. */
const examinedBytes = 96;
const maxFirstLine = 34;

/** @returns undefined if the payload does not begin with a user name and a password, or is not a user name alone */
export function loginLinesOf(payload: Uint8Array): LoginLines | undefined {
  const start = endOfOptions(payload);
  if (!isShortWordAt(payload, start)) return undefined;
  const text = String.fromCharCode(...payload.subarray(start, start + examinedBytes));
  const two = twoLines.exec(text);
  if (two) return { user: two[1] ?? "", password: two[2], start, end: start + two[0].length };
  const one = oneLine.exec(text);
  return one ? { user: one[1] ?? "", password: undefined, start, end: start + one[0].length } : undefined;
}

/** "Interpret as command" of telnet (RFC 854). */
const interpretAsCommand = 0xff;
const subnegotiation = 0xfa;
const subnegotiationEnd = 0xf0;
const maxOptionBytes = 512;

/** Where the negotiation of options at the beginning of a telnet connection ends. */
function endOfOptions(payload: Uint8Array): number {
  let at = 0;
  while (at < maxOptionBytes && payload[at] === interpretAsCommand) {
    if (payload[at + 1] !== subnegotiation) at += 3;
    else {
      const end = payload.subarray(0, maxOptionBytes).indexOf(subnegotiationEnd, at + 2);
      at = end < 0 ? payload.length : end + 1;
    }
  }
  return at;
}

/** Whether a line break comes soon, and no space before it: true for few payloads, and fast. */
function isShortWordAt(payload: Uint8Array, start: number): boolean {
  for (let at = start; at < start + maxFirstLine && at < payload.length; at++) {
    const byte = payload[at] as number;
    if (byte === 0x0d || byte === 0x0a) return at > start;
    if (byte <= 0x20 || byte >= 0x7f) return false;
  }
  return false;
}
