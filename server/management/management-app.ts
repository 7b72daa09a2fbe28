import { type AnyElysia, Elysia } from "elysia";
import type { Log } from "../telemetry/log.ts";
import { addSecurityHeaders } from "./answer-headers.ts";
import { errorAnswer } from "./api/json-answer.ts";
import { createSessionApi, sessionPath } from "./api/session.ts";
import { compressJson } from "./compression.ts";
import { isCrossSite } from "./cross-site.ts";
import { createHealthRoutes, type HealthOptions, healthPaths } from "./health.ts";
import { createPage } from "./page.ts";
import type { PageFiles } from "./page-files.ts";
import { pagePaths, signInPath, signInRedirect } from "./page-paths.ts";
import type { SignIn } from "./sign-in/sign-in.ts";
import { textAnswer } from "./text-answer.ts";

export interface ManagementOptions extends HealthOptions {
  readonly signIn: SignIn;
  /** undefined: the page is not built. */
  readonly pageFiles: PageFiles | undefined;
  /** The API beside the session's: a request that reaches one of these has a session. */
  readonly routes: readonly AnyElysia[];
  readonly version: string;
  readonly log: Log;
}

export interface ManagementApp {
  handle(request: Request): Promise<Response>;
}

/** The management port (contract 6): health and metrics for everybody, all the rest for those who signed in. */
export function createManagementApp(options: ManagementOptions): ManagementApp {
  const { signIn, version, log } = options;
  const { sessions } = signIn;
  const page = createPage(options.pageFiles, version);
  const publicPaths = new Set<string>([...healthPaths, signInPath, ...page.publicAssetPaths]);

  const app = new Elysia({ strictPath: true })
    .onError(({ code, error, request }) => {
      if (code === "NOT_FOUND") return notFound(request);
      if (code === "PARSE" || code === "VALIDATION") return errorAnswer("invalid_request");
      const path = pathOf(request);
      log.error("BUG: the management port cannot answer", { path, error: traceOf(error) });
      return isApi(path) ? errorAnswer("internal_error") : textAnswer("internal error", 500);
    })
    .use(createHealthRoutes(options))
    .use(createSessionApi({ signIn, version }))
    .get(signInPath, ({ request }) => page.signIn(request));
  for (const path of pagePaths) app.get(path, ({ request }) => page.app(request));
  for (const path of page.assetPaths) app.get(path, ({ request }) => page.asset(request, path));
  for (const instance of options.routes) app.use(instance);

  /** Whatever is not public ends here without a session, before it is looked up. */
  async function answer(request: Request): Promise<Response> {
    const path = pathOf(request);
    if (isApi(path) && !isRead(request) && isCrossSite(request)) return errorAnswer("forbidden");
    if (isPublic(request, path)) return app.handle(request);
    const session = sessions.find(request);
    if (!session) return withoutSession(request, path);
    // Elysia answers HEAD by reading what GET answers to its end, which a stream does not have.
    if (isApi(path) && request.method === "HEAD") return errorAnswer("method_not_allowed");
    const renewal = sessions.renew(request, session);
    const response = await app.handle(request);
    if (renewal !== undefined && mayCarryCookie(response)) response.headers.set("set-cookie", renewal);
    return response;
  }

  function isPublic(request: Request, path: string): boolean {
    return isRead(request) ? publicPaths.has(path) : request.method === "POST" && path === sessionPath;
  }

  function withoutSession(request: Request, path: string): Response {
    if (isApi(path)) return errorAnswer("unauthorized");
    if (!isRead(request)) return textAnswer("not found", 404);
    const location = signInRedirect(request.url.slice(pathStart(request)));
    return new Response(null, { status: 302, headers: { location, "cache-control": "no-store" } });
  }

  function notFound(request: Request): Response | Promise<Response> {
    if (isApi(pathOf(request))) return errorAnswer("not_found");
    const isNavigation = isRead(request) && request.headers.get("accept")?.includes("text/html");
    return isNavigation ? page.app(request, 404) : textAnswer("not found", 404);
  }

  return {
    async handle(request) {
      const response = await compressJson(request, await answer(request));
      addSecurityHeaders(response);
      if (showsBuild(response)) response.headers.set("x-loom-build", page.build);
      return response;
    },
  };
}

/** Elysia's own way to find the path, so that what is checked here is what is looked up there. */
function pathOf(request: Request): string {
  const start = pathStart(request);
  const query = request.url.indexOf("?", start + 1);
  return request.url.slice(start, query === -1 ? undefined : query);
}

function pathStart({ url }: Request): number {
  return url.indexOf("/", 11);
}

function isApi(path: string): boolean {
  return path.startsWith("/api/");
}

function isRead({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

/** Not one that is kept for a year, and not one that says itself what becomes of the cookie. */
function mayCarryCookie({ headers }: Response): boolean {
  return headers.get("cache-control")?.includes("no-store") === true && !headers.has("set-cookie");
}

/** The page compares it from answer to answer; its own files are of one build anyway. */
function showsBuild({ headers }: Response): boolean {
  return /^(application\/json|text\/html|text\/event-stream)/.test(headers.get("content-type") ?? "");
}

function traceOf(error: unknown): string {
  return error instanceof Error ? String(error.stack) : String(error);
}
