import { accepted, type Result, refused } from "../../result.ts";
import type { Log } from "../../telemetry/log.ts";
import { createAttemptLog } from "./attempt-log.ts";
import { FailedAttempts } from "./failed-attempts.ts";
import { Sessions } from "./sessions.ts";
import { type ManagementOrigin, signInLink } from "./sign-in-link.ts";
import { createSignInToken } from "./sign-in-token.ts";

export interface SignInOptions {
  /** undefined: the log has sign-in links, each of which works once. */
  readonly adminToken: string | undefined;
  readonly isTls: boolean;
  readonly log: Log;
  /** undefined while the management port does not listen yet. */
  readonly origin: () => ManagementOrigin | undefined;
  /** The client's address, for the log and for delays; undefined if it is unknown. */
  readonly clientOf: (request: Request) => string | undefined;
  readonly failedAttempts?: Pick<FailedAttempts, "slowDown">;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export type SignInRefusal =
  | { readonly code: "unauthorized" }
  | { readonly code: "too_many_attempts"; readonly retryAfterSeconds: number };

/** Decides who may use the dashboard, and for how long. */
export interface SignIn {
  readonly sessions: Sessions;
  /**
   * Checks a token. The right token is accepted at once, whatever else its client sends.
   * @returns the `Set-Cookie` header that begins a session, or why there is none
   */
  attempt(request: Request, token: string): Promise<Result<string, SignInRefusal>>;
  /** A link that works once; undefined if LOOM_ADMIN_TOKEN is set, or if the port does not listen. */
  link(): string | undefined;
  /** Logs the link, if there is one. To be called once the port listens; a used link logs the next one. */
  announceLink(): void;
  stop(): void;
}

export function createSignIn(options: SignInOptions): SignIn {
  const { adminToken, origin, clientOf, failedAttempts = new FailedAttempts() } = options;
  const log = options.log.component("sign_in");
  const sessions = new Sessions(options);
  const token = createSignInToken(adminToken);
  const attemptLog = createAttemptLog(log);

  function link(): string | undefined {
    const at = origin();
    return at && token.linkToken && signInLink(at, token.linkToken);
  }

  function announceLink(): void {
    const url = link();
    if (url !== undefined) log.info("sign in to the dashboard", { url });
  }

  return {
    sessions,
    async attempt(request, candidate) {
      const client = clientOf(request);
      if (token.redeem(candidate)) {
        log.info("signed in to the dashboard", { client });
        announceLink();
        return accepted(sessions.begin(request));
      }
      attemptLog.noteFailure(client);
      const retryAfterSeconds = await failedAttempts.slowDown(client);
      return refused(
        retryAfterSeconds === undefined
          ? { code: "unauthorized" }
          : { code: "too_many_attempts", retryAfterSeconds },
      );
    },
    link,
    announceLink,
    stop: attemptLog.stop,
  };
}
