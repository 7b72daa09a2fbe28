import { type AnyElysia, Elysia } from "elysia";
import { hasValidHost } from "../http/host.ts";
import type { Log } from "../telemetry/log.ts";
import { addSecurityHeaders } from "./answer-headers.ts";
import { errorAnswer } from "./api/json-answer.ts";
import { createSessionApi, sessionPath } from "./api/session.ts";
import { compressJson } from "./compression.ts";
import { isCrossSite } from "./cross-site.ts";
import { createHealthRoutes, type HealthOptions, healthPaths, probePaths } from "./health.ts";
import type { OwnHosts } from "./own-hosts.ts";
import { createPage } from "./page.ts";
import type { PageFiles } from "./page-files.ts";
import { pagePaths, signInPath, signInRedirect } from "./page-paths.ts";
import type { SignIn } from "./sign-in/sign-in.ts";
import { textAnswer } from "./text-answer.ts";

export interface ManagementOptions extends HealthOptions {
  readonly signIn: SignIn;
  readonly ownHosts: Pick<OwnHosts, "refuse">;
  /** undefined if the page is not built. */
  readonly pageFiles: PageFiles | undefined;
  /** The routes of the API without those of the session. A request that reaches one of them has a session. */
  readonly routes: readonly AnyElysia[];
  readonly version: string;
  readonly log: Log;
}

export interface ManagementApp {
  handle(request: Request): Promise<Response>;
}

/** The app of the management port: health and metrics for everybody, everything else for signed-in clients. */
export function createManagementApp(options: ManagementOptions): ManagementApp {
  const { signIn, ownHosts, version } = options;
  const log = options.log.component("management");
  const { sessions } = signIn;
  const page = createPage(options.pageFiles, version);
  const pathsUnderAnyName = new Set<string>(probePaths);
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

  /** A request without a session is answered before its path is looked up, unless the path is public. */
  async function answer(request: Request): Promise<Response> {
    const path = pathOf(request);
    if (!hasValidHost(request)) return textAnswer("several Host headers, or not a host and a port", 400);
    const misdirected = pathsUnderAnyName.has(path) ? undefined : ownHosts.refuse(request);
    if (misdirected) return misdirected;
    if (isApi(path) && !isRead(request) && isCrossSite(request)) return errorAnswer("forbidden");
    if (isPublic(request, path)) return app.handle(request);
    const session = sessions.find(request);
    if (!session) return withoutSession(request, path);
    // Elysia answers HEAD by reading the answer to GET to its end, which a stream does not have.
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

/** The path as Elysia finds it, so that the path that is checked is the path that is looked up. */
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

/** False for answers that a browser stores, and for those that set a cookie themselves. */
function mayCarryCookie({ headers }: Response): boolean {
  return headers.get("cache-control")?.includes("no-store") === true && !headers.has("set-cookie");
}

/** The page compares the build of successive answers, to notice an upgrade. Its files are all of one build. */
function showsBuild({ headers }: Response): boolean {
  return /^(application\/json|text\/html|text\/event-stream)/.test(headers.get("content-type") ?? "");
}

function traceOf(error: unknown): string {
  return error instanceof Error ? String(error.stack) : String(error);
}
