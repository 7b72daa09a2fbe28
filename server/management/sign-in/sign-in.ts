import type { Log } from "../../telemetry/log.ts";
import { createAttemptLog } from "./attempt-log.ts";
import { createFailedAttempts, type FailedAttempts } from "./failed-attempts.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { type ManagementOrigin, signInLink } from "./sign-in-link.ts";
import { createSignInToken } from "./sign-in-token.ts";

export interface SignInOptions {
  /** undefined: links in the log let in, each once. */
  readonly adminToken: string | undefined;
  readonly isTls: boolean;
  readonly log: Log;
  /** undefined: the management port does not listen yet. */
  readonly origin: () => ManagementOrigin | undefined;
  /** For log and slowing down; undefined: unknown. */
  readonly clientOf: (request: Request) => string | undefined;
  readonly failedAttempts?: FailedAttempts;
  readonly now?: () => number;
}

/** Who may use the dashboard, and for how long. */
export interface SignIn {
  readonly sessions: Sessions;
  /**
   * Judges a token. The right one is judged at once, whatever else its client sends.
   * @returns true, or false or the seconds to try again after
   */
  attempt(request: Request, token: string): Promise<boolean | number>;
  /** The link that lets in once; undefined: LOOM_ADMIN_TOKEN does, or nothing listens. */
  link(): string | undefined;
  /** Logs it, where there is one; to be called once the port listens. A link that is used logs the next one. */
  announceLink(): void;
  stop(): void;
}

export function createSignIn(options: SignInOptions): SignIn {
  const { adminToken, log, origin, clientOf, failedAttempts = createFailedAttempts() } = options;
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
    sessions: createSessions(options),
    async attempt(request, candidate) {
      const client = clientOf(request);
      if (token.redeem(candidate)) {
        log.info("signed in to the dashboard", { client });
        announceLink();
        return true;
      }
      attemptLog.noteFailure(client);
      return (await failedAttempts.slowDown(client)) ?? false;
    },
    link,
    announceLink,
    stop: attemptLog.stop,
  };
}
