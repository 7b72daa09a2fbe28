import { createExpiringIds } from "./expiring-ids.ts";
import { createSessionSeal, newSessionId, type Session } from "./session-cookie.ts";

export interface SessionsOptions {
  readonly adminToken: string | undefined;
  /** The management port itself speaks TLS. */
  readonly isTls: boolean;
  readonly now?: () => number;
}

/** Sessions are signed cookies; kept here is only which were ended and how far they were renewed. */
export interface Sessions {
  /** A new one, as the `Set-Cookie` that begins it. */
  begin(request: Request): string;
  /** The request's; undefined: it has none, or it is over. */
  find(request: Request): Session | undefined;
  /** Gives a session that is used a later end once that is due. @returns the `Set-Cookie` for it */
  renew(request: Request, session: Session): string | undefined;
  /** Ends it, whatever cookies of it there are. @returns the `Set-Cookie` that removes this one */
  end(request: Request, session: Session): string;
  /** A question to ask again while an answer goes on: is the request's session, renewed or not, still valid? */
  watch(request: Request): () => boolean;
}

const hourMs = 3_600_000;
const lifetimeMs = 12 * hourMs;
const maxLifetimeMs = 7 * 24 * hourMs;
/** Not with every answer: a cookie is renewed when it gains so much. */
const renewalStepMs = hourMs;
const maxRemembered = 10_000;

export function createSessions({ adminToken, isTls, now = Date.now }: SessionsOptions): Sessions {
  const seal = createSessionSeal(adminToken);
  /** Ids of ended sessions, until no cookie of them could be valid any more. */
  const ended = createExpiringIds(maxRemembered, now);
  /** Ends that are later than what the first cookie said. */
  const renewed = createExpiringIds(maxRemembered, now);
  /** Sessions from before are over, because more were ended than can be remembered. */
  let validSince = 0;

  function lastEndOf({ signedInAt }: Session): number {
    return signedInAt + maxLifetimeMs;
  }

  function setCookie(request: Request, session: Session): string {
    const seconds = Math.ceil((session.expiresAt - now()) / 1000);
    return cookie(request, seal.seal(session), seconds);
  }

  function cookie(request: Request, value: string, maxAgeSeconds: number): string {
    const secure = isSecure(request) ? "; Secure" : "";
    return `${cookieName(request)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
  }

  /** TLS ends here or, as the proxy in front says, there. Who says so of itself only gets a stricter cookie. */
  function isSecure({ headers }: Request): boolean {
    return isTls || headers.get("x-forwarded-proto") === "https";
  }

  /**
   * Browsers share cookies between the ports of a host, so several Looms behind `ssh -L` would sign each other out: the
   * name has the port that the browser sees. `__Host-` keeps plain HTTP on the same host from setting it.
   */
  function cookieName(request: Request): string {
    const host = request.headers.get("host") ?? new URL(request.url).host;
    const port = /:(\d{1,5})$/.exec(host)?.[1] ?? (isSecure(request) ? "443" : "80");
    return `${isSecure(request) ? "__Host-" : ""}loom-${port}`;
  }

  /** Of several cookies by that name, which another path or port can set, any may be the right one. */
  function find(request: Request): Session | undefined {
    const start = `${cookieName(request)}=`;
    for (const pair of (request.headers.get("cookie") ?? "").split(/; */)) {
      const session = pair.startsWith(start) ? seal.open(pair.slice(start.length)) : undefined;
      if (session && isValid(session)) return withLatestEnd(session);
    }
    return undefined;
  }

  function isValid(session: Session): boolean {
    return (
      withLatestEnd(session).expiresAt > now() &&
      session.signedInAt >= validSince &&
      ended.get(session.id) === undefined
    );
  }

  function withLatestEnd(session: Session): Session {
    return { ...session, expiresAt: Math.max(session.expiresAt, renewed.get(session.id) ?? 0) };
  }

  return {
    begin(request) {
      const signedInAt = now();
      return setCookie(request, { id: newSessionId(), signedInAt, expiresAt: signedInAt + lifetimeMs });
    },
    find,
    renew(request, session) {
      const expiresAt = Math.min(now() + lifetimeMs, lastEndOf(session));
      if (expiresAt < session.expiresAt + renewalStepMs) return undefined;
      renewed.set(session.id, expiresAt);
      return setCookie(request, { ...session, expiresAt });
    },
    end(request, session) {
      // Forgetting one would let its cookie in again; ending them all only asks everybody for the token.
      if (!ended.set(session.id, lastEndOf(session))) {
        validSince = now() + 1;
        ended.clear();
      }
      return cookie(request, "", 0);
    },
    watch(request) {
      const session = find(request);
      return () => session !== undefined && isValid(session);
    },
  };
}
