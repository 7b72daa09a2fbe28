import { signal } from "@preact/signals";
import type { SessionAnswer } from "../../server/management/api/answers.ts";
import { formatDuration } from "../../server/text/duration.ts";

/** Why a request of the API failed. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    /** HTTP status; 0 if there was no answer. */
    readonly status: number,
    /** The `error` of the answer's body, or "" if it has none. */
    readonly code: string,
    message: string,
    /** The members of the answer's body. */
    readonly body: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

export interface ApiClientOptions {
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>;
  readonly location: Pick<Location, "pathname" | "search" | "assign">;
}

const timeoutMs = 10_000;
/** The time that an answer takes varies by less; following it would make every relative time jump. */
const minClockChangeMs = 1_500;
const sessionPath = "/api/v1/session";
const jsonHeaders = { "content-type": "application/json" };

/** Requests to Loom's API under the session of this page. */
export class ApiClient {
  /** True once Loom answers with another build than the one that this page came from. */
  readonly isPageOutdated = signal(false);
  /** How far Loom's clock is ahead of this machine's, in milliseconds. */
  readonly serverAheadMs = signal(0);
  readonly #fetch: ApiClientOptions["fetch"];
  readonly #location: ApiClientOptions["location"];
  #firstBuild: string | undefined;

  constructor({ fetch, location }: ApiClientOptions) {
    this.#fetch = fetch;
    this.#location = location;
  }

  /** `GET` of a JSON answer. An answer 401 leads to the sign-in page. @throws ApiError */
  async getJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
    const response = await this.#request(path, {}, signal);
    const answer = (await response.json()) as Answer;
    this.#noteClock(answer);
    return answer;
  }

  /** `POST` of a JSON body, for a JSON answer. An answer 401 leads to the sign-in page. @throws ApiError */
  async postJson<Answer>(path: string, body: object): Promise<Answer> {
    const init = { method: "POST", headers: jsonHeaders, body: JSON.stringify(body) };
    return (await (await this.#request(path, init)).json()) as Answer;
  }

  /**
   * `GET` of a stream, without a time limit. An answer 401 leads to the sign-in page.
   * @returns the answer, whatever its status
   * @throws what `fetch` throws
   */
  async openStream(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Response> {
    const init: RequestInit = { headers, signal, credentials: "same-origin", cache: "no-store" };
    const response = await this.#fetch(path, init);
    this.#noteBuild(response);
    if (response.status === 401) this.#goToSignIn();
    return response;
  }

  /** The session, or undefined if there is none; does not lead to the sign-in page. @throws ApiError */
  async findSession(): Promise<SessionAnswer | undefined> {
    const response = await this.#send(sessionPath, {});
    if (response.status === 401) return undefined;
    if (!response.ok) throw await errorOf(response);
    return (await response.json()) as SessionAnswer;
  }

  /** Begins a session. @throws ApiError with status 401 for a wrong token */
  async signIn(token: string): Promise<void> {
    const init = { method: "POST", headers: jsonHeaders, body: JSON.stringify({ token }) };
    const response = await this.#send(sessionPath, init);
    if (!response.ok) throw await errorOf(response);
  }

  /** Ends the session and leaves for the sign-in page. */
  async signOut(): Promise<void> {
    // The sign-in page finds out whether the session still exists, so a failure changes nothing here.
    await this.#send(sessionPath, { method: "DELETE" }).catch(() => undefined);
    this.#location.assign("/sign-in");
  }

  async #request(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const response = await this.#send(path, init, signal);
    this.#noteBuild(response);
    if (response.ok) return response;
    if (response.status === 401) this.#goToSignIn();
    throw await errorOf(response);
  }

  async #send(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const aborted = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      return await this.#fetch(path, { credentials: "same-origin", ...init, signal: aborted });
    } catch (error) {
      const isLate = error instanceof DOMException && error.name === "TimeoutError";
      const limit = formatDuration(timeoutMs);
      throw new ApiError(0, "", isLate ? `Loom did not answer within ${limit}` : "Loom does not answer");
    }
  }

  /** The sign-in page leads back to the current page. */
  #goToSignIn(): void {
    const { pathname, search } = this.#location;
    const here = pathname + search;
    this.#location.assign(here === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`);
  }

  #noteBuild(response: Response): void {
    const build = response.headers.get("x-loom-build");
    if (build === null) return;
    this.#firstBuild ??= build;
    if (build !== this.#firstBuild) this.isPageOutdated.value = true;
  }

  #noteClock(answer: unknown): void {
    const { now } = answer as { now?: unknown };
    if (typeof now !== "number") return;
    const aheadMs = now - Date.now();
    if (Math.abs(aheadMs - this.serverAheadMs.peek()) > minClockChangeMs) this.serverAheadMs.value = aheadMs;
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const parsed: unknown = await response.json().catch(() => ({}));
  const body = typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  const code = typeof body.error === "string" ? body.error : "";
  return new ApiError(
    response.status,
    code,
    messageOf(response.status, code, body.reason ?? body.message),
    body,
  );
}

function messageOf(status: number, code: string, reason: unknown): string {
  if (status === 404) return "not found";
  if (typeof reason === "string") return reason;
  if (status === 503) return "Loom is not available";
  return `Loom answered HTTP ${status}${code === "" ? "" : ` ${code}`}`;
}
