import { Elysia } from "elysia";
import type { SignIn, SignInRefusal } from "../sign-in/sign-in.ts";
import type { SessionAnswer } from "./answers.ts";
import { errorAnswer, jsonAnswer } from "./json-answer.ts";
import { type JsonBodyBounds, readJsonBody } from "./json-body.ts";

export interface SessionApiOptions {
  readonly signIn: SignIn;
  readonly version: string;
  readonly bodyBounds?: JsonBodyBounds;
}

export const sessionPath = "/api/v1/session";

const defaultBodyBounds = { maxBytes: 4096, maxMs: 10_000 };

/** Sign in (the only route of the API that works without a session), read the session, and sign out. */
export function createSessionApi({ signIn, version, bodyBounds = defaultBodyBounds }: SessionApiOptions) {
  const { sessions } = signIn;
  return new Elysia({ strictPath: true })
    .post(
      sessionPath,
      async ({ request }) => {
        const token = tokenIn(await readJsonBody(request, bodyBounds));
        if (token === undefined) return errorAnswer("invalid_request");
        const attempt = await signIn.attempt(request, token);
        return attempt.kind === "accepted" ? cookieAnswer(attempt.value) : refusalAnswer(attempt.refusal);
      },
      { parse: "none" },
    )
    .get(sessionPath, ({ request }) => {
      const session = sessions.find(request);
      if (!session) return errorAnswer("unauthorized");
      const answer: SessionAnswer = { expiresAt: session.expiresAt, version };
      return jsonAnswer(answer);
    })
    .delete(sessionPath, ({ request }) => {
      const session = sessions.find(request);
      return session ? cookieAnswer(sessions.end(request, session)) : errorAnswer("unauthorized");
    });
}

/** White space around the token is removed: pasting adds it, and no token has any. */
function tokenIn(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null || !("token" in body)) return undefined;
  return typeof body.token === "string" ? body.token.trim() : undefined;
}

function refusalAnswer(refusal: SignInRefusal): Response {
  return refusal.code === "unauthorized"
    ? errorAnswer("unauthorized")
    : errorAnswer("too_many_attempts", refusal.retryAfterSeconds);
}

function cookieAnswer(setCookie: string): Response {
  return new Response(null, {
    status: 204,
    headers: { "set-cookie": setCookie, "cache-control": "no-store" },
  });
}
