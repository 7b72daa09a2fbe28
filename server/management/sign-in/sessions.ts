import { createExpiringIds } from "./expiring-ids.ts";
import { SessionCookies } from "./session-cookies.ts";
import { createSessionSeal, newSessionId, type Session } from "./session-seal.ts";

export interface SessionsOptions {
  readonly adminToken: string | undefined;
  /** The management port itself uses TLS. */
  readonly isTls: boolean;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const hourMs = 3_600_000;
const lifetimeMs = 12 * hourMs;
const maxLifetimeMs = 7 * 24 * hourMs;
/** A cookie is renewed only if its session becomes this much longer, so that not every answer has one. */
const renewalStepMs = hourMs;
const maxRemembered = 10_000;

/** Sessions are signed cookies. The only state in memory is which sessions were ended, and how far they were renewed. */
export class Sessions {
  readonly #now: () => number;
  readonly #seal: ReturnType<typeof createSessionSeal>;
  readonly #cookies: SessionCookies;
  /** Ids of ended sessions, until none of their cookies can be valid any more. */
  readonly #ended: ReturnType<typeof createExpiringIds>;
  /** The ends of sessions that are later than their first cookie says. */
  readonly #renewed: ReturnType<typeof createExpiringIds>;
  /** Sessions that began earlier are invalid, because more were ended than can be remembered. */
  #validSince = 0;

  constructor(options: SessionsOptions) {
    this.#now = options.now ?? Date.now;
    this.#seal = createSessionSeal(options.adminToken);
    this.#cookies = new SessionCookies(options);
    this.#ended = createExpiringIds(maxRemembered, this.#now);
    this.#renewed = createExpiringIds(maxRemembered, this.#now);
  }

  /** Begins a session. @returns its `Set-Cookie` header */
  begin(request: Request): string {
    const signedInAt = this.#now();
    return this.#cookieFor(request, { id: newSessionId(), signedInAt, expiresAt: signedInAt + lifetimeMs });
  }

  /** The session of a request; undefined if it has none, or if it is over. */
  find(request: Request): Session | undefined {
    for (const value of this.#cookies.valuesOf(request)) {
      const session = this.#seal.open(value);
      if (session && this.#isValid(session)) return this.#withLatestEnd(session);
    }
    return undefined;
  }

  /** Extends a session that is in use. @returns the `Set-Cookie` header; undefined if it is not due yet */
  renew(request: Request, session: Session): string | undefined {
    const expiresAt = Math.min(this.#now() + lifetimeMs, session.signedInAt + maxLifetimeMs);
    if (expiresAt < session.expiresAt + renewalStepMs) return undefined;
    this.#renewed.set(session.id, expiresAt);
    return this.#cookieFor(request, { ...session, expiresAt });
  }

  /** Ends a session with all its cookies. @returns the `Set-Cookie` header that removes this one */
  end(request: Request, session: Session): string {
    // Without room to remember it, its cookie would stay valid. Ending all sessions only makes everybody sign in again.
    if (!this.#ended.set(session.id, session.signedInAt + maxLifetimeMs)) {
      this.#validSince = this.#now() + 1;
      this.#ended.clear();
    }
    return this.#cookies.header(request, "", 0);
  }

  /** For an answer that takes long. @returns a function that tells whether the request's session is still valid, renewed or not */
  trackValidity(request: Request): () => boolean {
    const session = this.find(request);
    return () => session !== undefined && this.#isValid(session);
  }

  #isValid(session: Session): boolean {
    return (
      this.#withLatestEnd(session).expiresAt > this.#now() &&
      session.signedInAt >= this.#validSince &&
      this.#ended.get(session.id) === undefined
    );
  }

  #withLatestEnd(session: Session): Session {
    return { ...session, expiresAt: Math.max(session.expiresAt, this.#renewed.get(session.id) ?? 0) };
  }

  #cookieFor(request: Request, session: Session): string {
    const seconds = Math.ceil((session.expiresAt - this.#now()) / 1000);
    return this.#cookies.header(request, this.#seal.seal(session), seconds);
  }
}
