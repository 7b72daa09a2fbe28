import { signal } from "@preact/signals";
import type { SessionAnswer } from "../../server/management/api/answers.ts";

/** What an answer of the API says went wrong. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    /** HTTP status; 0: no answer at all. */
    readonly status: number,
    /** The `error` of the answer's body, or "" where it has none. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const timeoutMs = 10_000;

/** True once Loom answers as another build than the one that this page came from. */
export const isPageOutdated = signal(false);
/** How far the server's clock is before ours, in milliseconds. */
export const serverAheadMs = signal(0);

let firstBuild: string | undefined;

/** Leaves for the sign-in page, which comes back to where one was. */
export function goToSignIn(): void {
  const here = location.pathname + location.search;
  location.assign(here === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`);
}

/**
 * One request of the API under this page's session. An answer 401 leads to the sign-in page.
 * @throws ApiError for whatever is not 2xx, and for no answer
 */
async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await send(path, { signal: AbortSignal.timeout(timeoutMs), ...init });
  noteBuild(response);
  if (response.ok) return response;
  if (response.status === 401) goToSignIn();
  throw await errorOf(response);
}

/** `GET` of a JSON answer. @throws ApiError */
export async function getJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await request(path, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
  const answer = (await response.json()) as Answer;
  noteClock(answer);
  return answer;
}

/** `POST` of a JSON body, for a JSON answer. @throws ApiError */
export async function postJson<Answer>(path: string, body: object): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  const response = await request(path, { method: "POST", headers, body: JSON.stringify(body) });
  return (await response.json()) as Answer;
}

/** The session, or undefined where there is none; nothing is left for in that case. @throws ApiError */
export async function findSession(): Promise<SessionAnswer | undefined> {
  const response = await send("/api/v1/session", { signal: AbortSignal.timeout(timeoutMs) });
  if (response.status === 401) return undefined;
  if (!response.ok) throw await errorOf(response);
  return (await response.json()) as SessionAnswer;
}

/** Begins a session. @throws ApiError, 401 for a wrong token */
export async function signIn(token: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify({ token }) };
  const response = await send("/api/v1/session", { ...init, signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw await errorOf(response);
}

/** Ends the session, here and in Loom. */
export async function signOut(): Promise<void> {
  // Without an answer there is nothing to stay for either: the sign-in page says whether the session is still there.
  await send("/api/v1/session", { method: "DELETE" }).catch(() => undefined);
  location.assign("/sign-in");
}

/** For the tail too, which reads its answers by itself. */
export function noteBuild(response: Response): void {
  const build = response.headers.get("x-loom-build");
  if (build === null) return;
  firstBuild ??= build;
  if (build !== firstBuild) isPageOutdated.value = true;
}

function noteClock(answer: unknown): void {
  const { now } = answer as { now?: unknown };
  // Small differences are the way of the answer, and would make every relative time jump about.
  if (typeof now === "number" && Math.abs(now - Date.now() - serverAheadMs.peek()) > 1_500)
    serverAheadMs.value = now - Date.now();
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    throw new ApiError(0, "", isLate ? "Loom has not answered in time" : "Loom does not answer");
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as { error?: unknown };
  const code = typeof body.error === "string" ? body.error : "";
  return new ApiError(response.status, code, messageOf(response.status, code));
}

function messageOf(status: number, code: string): string {
  if (status === 404) return "not there any more";
  if (status === 503) return "Loom can't answer that now";
  return `Loom answered ${status}${code === "" ? "" : ` ${code}`}`;
}
