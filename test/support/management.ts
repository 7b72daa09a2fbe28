import { Elysia } from "elysia";
import { errorAnswer, jsonAnswer } from "../../server/management/api/json-answer.ts";
import {
  createManagementApp,
  type ManagementApp,
  type ManagementOptions,
} from "../../server/management/management-app.ts";
import { OwnHosts } from "../../server/management/own-hosts.ts";
import type { PageFile, PageFiles } from "../../server/management/page-files.ts";
import { createSignIn, type SignInOptions } from "../../server/management/sign-in/sign-in.ts";
import { silentLog } from "./log.ts";

export const adminToken = "correct horse battery staple";

/** Files like those of a build; the larger ones are worth compressing. */
export const testPageFiles: PageFiles = {
  index: pageFile("/index-1.html", "text/html;charset=utf-8", "<title>Loom</title>"),
  signIn: pageFile("/sign-in-1.html", "text/html;charset=utf-8", "<title>Loom: sign in</title>"),
  assets: [
    pageFile("/chunk-app.js", "text/javascript;charset=utf-8", "app();".repeat(1000)),
    pageFile("/icon-1.svg", "image/svg+xml", "<svg/>"),
  ],
  signInAssets: [
    pageFile("/chunk-sign-in.js", "text/javascript;charset=utf-8", "signIn();".repeat(1000)),
    pageFile("/icon-1.svg", "image/svg+xml", "<svg/>"),
  ],
};

function pageFile(path: string, contentType: string, text: string): PageFile {
  return { path, contentType, read: async () => Buffer.from(text) };
}

export interface ManagementTest {
  readonly app: ManagementApp;
  /** Sends a request without a session, or with a cookie. */
  ask(path: string, init?: RequestInit & { readonly cookie?: string | undefined }): Promise<Response>;
  /** @returns the cookie of a new session, in the form of a request's `Cookie` header */
  signIn(token?: string): Promise<string>;
}

export type ManagementTestOptions = Partial<ManagementOptions> & {
  readonly signInOptions?: Partial<SignInOptions>;
};

/** The app of the management port with a test page. Its token is `adminToken` by default. */
export function managementTest({ signInOptions, ...options }: ManagementTestOptions = {}): ManagementTest {
  const signIn = createSignIn({
    adminToken,
    isTls: false,
    log: silentLog,
    origin: () => undefined,
    clientOf: () => "192.0.2.1",
    ...signInOptions,
  });
  // Its timer, which writes summaries to the log, would keep the process from exiting.
  signIn.stop();
  const app = createManagementApp({
    problem: () => undefined,
    ingestProblem: () => undefined,
    metrics: undefined,
    metricsToken: undefined,
    signIn,
    ownHosts: new OwnHosts({ names: ["loom.example"], certificate: () => undefined, log: silentLog }),
    pageFiles: testPageFiles,
    routes: [],
    version: "1.2.3",
    log: silentLog,
    ...options,
  });
  const ask: ManagementTest["ask"] = (path, { cookie, headers, ...init } = {}) => {
    const request = new Request(`http://loom.example:9080${path}`, {
      ...init,
      headers: new Headers(headers),
    });
    if (cookie !== undefined) request.headers.set("cookie", cookie);
    return app.handle(request);
  };
  return {
    app,
    ask,
    async signIn(token = adminToken) {
      const response = await ask("/api/v1/session", signInRequest(token));
      if (response.status !== 204) throw new Error(`signing in was answered ${response.status}`);
      return cookieOf(response);
    },
  };
}

export function signInRequest(token: string): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  };
}

/** The part of a `Set-Cookie` that a browser sends back. */
export function cookieOf(response: Response): string {
  return /^[^;]+/.exec(response.headers.get("set-cookie") ?? "")?.[0] ?? "";
}

/** A text that must not be shown without a session. */
export const secret = "what only an operator may see";

/** Routes like those of the API. */
export const secretRoutes = new Elysia({ strictPath: true })
  .get("/api/v1/secret", () => jsonAnswer({ secret }))
  .get("/api/v1/large", () => jsonAnswer({ secret: secret.repeat(200) }))
  .get("/api/v1/broken", () => {
    throw new Error(secret);
  })
  .get("/api/v1/endless", () => new Response(new ReadableStream(), eventStream))
  .post("/api/v1/secret", () => jsonAnswer({ secret }), { parse: "none" })
  .post("/api/v1/unavailable", () => errorAnswer("unavailable", 5), { parse: "none" });
const eventStream = { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } };

/** Sends the same request without and with a session. */
export async function askTwice(path: string, init: RequestInit = {}) {
  const management = managementTest({ routes: [secretRoutes] });
  const guest = await management.ask(path, init);
  const operator = await management.ask(path, { ...init, cookie: await management.signIn() });
  return { guest, guestText: await guest.text(), operator, operatorText: await operator.text() };
}
