/** host [ ":" port ], RFC 3986 3.2.2 and 3.2.3. Of an IP literal in brackets, only its characters are checked. */
const hostForm = /^(?:\[([0-9A-Fa-fv:.]+)\]|([\w.~!$&'()*+,;=%-]*))(?::\d*)?$/;

/**
 * False for a request that RFC 9112 3.2 has a server answer with 400: one with several Host headers, or with one that is
 * not a host and a port. Bun joins several with ", ", and a host has no space. It answers a request of HTTP/1.1 without
 * a Host header itself; HTTP/1.0 does not need one.
 */
export function hasValidHost({ headers }: Request): boolean {
  const host = headers.get("host");
  return host === null || hostForm.test(host);
}

/**
 * The name or the address in the Host header, in lower case, without brackets, port and the dot of the root; undefined
 * if there is none.
 */
export function hostName({ headers }: Request): string | undefined {
  const match = hostForm.exec(headers.get("host") ?? "");
  const name = match?.[1] ?? match?.[2];
  return name ? name.toLowerCase().replace(/\.$/, "") : undefined;
}
