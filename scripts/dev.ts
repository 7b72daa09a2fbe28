/**
 * `bun run dev` serves the dashboard from its sources on http://127.0.0.1:3000 and reloads it at every change. Behind it
 * runs `loom demo`, also from its sources, which restarts when they change. Both end together.
 */
import { randomBytes } from "node:crypto";
import { staticPlugin } from "@elysiajs/static";
import { Elysia } from "elysia";
import { healthPaths } from "../server/management/health.ts";
import { pagePaths, signInPath } from "../server/management/page-paths.ts";
import index from "../ui/index.html";
import signIn from "../ui/sign-in.html";

const port = 3000;
const ingestAddress = "127.0.0.1:8080";
const managementAddress = "127.0.0.1:9080";
const root = new URL("..", import.meta.url).pathname;
/** With a fixed token, sessions stay valid when the demo restarts. */
const adminToken = process.env.LOOM_ADMIN_TOKEN || randomBytes(24).toString("base64url");

startDemo();
await serveSources();
// The address is printed after the demo's own messages.
while (!(await fetch(`http://${managementAddress}/health`).catch(() => undefined))?.ok) await Bun.sleep(100);
console.error(`dashboard from its sources: http://127.0.0.1:${port}${signInPath}#${adminToken}`);

function startDemo(): void {
  const demo = ["demo", "-listen-address", ingestAddress, "-management-listen-address", managementAddress];
  const loom = Bun.spawn([process.execPath, "--watch", "--no-clear-screen", "server/cli/loom.ts", ...demo], {
    cwd: root,
    env: { ...process.env, LOOM_ADMIN_TOKEN: adminToken },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  process.on("exit", () => loom.kill());
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));
  void loom.exited.then((status) => process.exit(status));
}

/** Serves `ui/`, the page at each of its paths, and the API and the health checks of Loom. */
async function serveSources(): Promise<void> {
  // Bun bundles the HTML files and replaces changed modules in the open page; other files are served as they are.
  const sources = await staticPlugin({
    assets: `${root}ui`,
    prefix: "",
    bunFullstack: true,
    directive: "no-store",
    maxAge: null,
  });
  const app = new Elysia().use(sources).get(signInPath, signIn).all("/*", askLoom, { parse: "none" });
  for (const path of pagePaths) app.get(path, index);
  // GET of any other path is a file of `ui/`.
  for (const path of ["/api/*", ...healthPaths]) app.get(path, askLoom);
  app.listen({
    hostname: "127.0.0.1",
    port,
    // Bun's default of 10 s is shorter than the interval of the tail's pings.
    idleTimeout: 60,
    development: { hmr: true, console: true },
  });
}

/** Forwards a request to the demo, so that the page has the cookies, origin and streams that it has in the executable. */
async function askLoom({ request }: { readonly request: Request }): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  // fetch decompresses the answer but keeps its Content-Encoding header.
  headers.set("accept-encoding", "identity");
  try {
    return await fetch(`http://${managementAddress}${pathname}${search}`, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
      signal: request.signal,
    });
  } catch {
    // The demo is restarting, or its sources do not compile; its own message is in the terminal.
    return Response.json({ error: "unavailable" }, { status: 503 });
  }
}
