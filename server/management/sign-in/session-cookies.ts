export interface SessionCookiesOptions {
  /** The management port itself uses TLS. */
  readonly isTls: boolean;
}

/** Reads and writes the cookie that holds a session. */
export class SessionCookies {
  readonly #isTls: boolean;

  constructor({ isTls }: SessionCookiesOptions) {
    this.#isTls = isTls;
  }

  /** A `Set-Cookie` header. @param maxAgeSeconds 0 removes the cookie */
  header(request: Request, value: string, maxAgeSeconds: number): string {
    const secure = this.#isSecure(request) ? "; Secure" : "";
    return `${this.#nameFor(request)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
  }

  /** The values of all cookies with the session's name. Another path or port of the host can set more than one. */
  valuesOf(request: Request): string[] {
    const start = `${this.#nameFor(request)}=`;
    const pairs = (request.headers.get("cookie") ?? "").split(/; */);
    return pairs.filter((pair) => pair.startsWith(start)).map((pair) => pair.slice(start.length));
  }

  /**
   * True if the client uses TLS, to this port or to the proxy in front of it. A client that only claims so gets a cookie
   * with stricter rules, which harms nobody else.
   */
  #isSecure({ headers }: Request): boolean {
    return this.#isTls || headers.get("x-forwarded-proto") === "https";
  }

  /**
   * Browsers share cookies between the ports of a host, and `ssh -L` makes several Looms appear on one host. The port that
   * the browser sees is part of the name, so that signing in to one does not sign out of the others. The prefix `__Host-`
   * prevents plain HTTP on the same host from setting the cookie.
   */
  #nameFor(request: Request): string {
    const isSecure = this.#isSecure(request);
    const host = request.headers.get("host") ?? new URL(request.url).host;
    const port = /:(\d{1,5})$/.exec(host)?.[1] ?? (isSecure ? "443" : "80");
    return `${isSecure ? "__Host-" : ""}loom-${port}`;
  }
}
