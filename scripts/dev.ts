/**
 * `bun run dev`: the dashboard from its sources on http://127.0.0.1:3000, drawn anew at every change, in front of a
 * `loom demo` that runs from its sources too and starts anew when they change. Ends it with itself.
 */
import { randomBytes } from "node:crypto";
import { pagePaths, signInPath } from "../server/management/page-paths.ts";
import index from "../ui/index.html";
import signIn from "../ui/sign-in.html";

const port = 3000;
const ingestAddress = "127.0.0.1:8080";
const managementAddress = "127.0.0.1:9080";
/** Sessions outlive every restart of the demo with one token. */
const adminToken = process.env.LOOM_ADMIN_TOKEN || randomBytes(24).toString("base64url");

const loom = Bun.spawn(
  [
    process.execPath,
    "--watch",
    "--no-clear-screen",
    "server/cli/loom.ts",
    "demo",
    "-listen-address",
    ingestAddress,
    "-management-listen-address",
    managementAddress,
  ],
  {
    cwd: new URL("..", import.meta.url).pathname,
    env: { ...process.env, LOOM_ADMIN_TOKEN: adminToken },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  },
);
process.on("exit", () => loom.kill());
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));
void loom.exited.then((status) => process.exit(status));

/** The API as the executable's page would reach it: same cookies, same origin, streams as they come. */
async function proxy(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  // fetch would decompress the answer and leave the header that says it is not.
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
    // It starts anew, or its sources don't compile; its own message stands above.
    return Response.json({ error: "unavailable" }, { status: 503 });
  }
}

Bun.serve({
  hostname: "127.0.0.1",
  port,
  // Bun's default of 10 s is shorter than the tail's pings are apart.
  idleTimeout: 60,
  development: { hmr: true, console: true },
  routes: {
    ...Object.fromEntries(pagePaths.map((path) => [path, index])),
    [signInPath]: signIn,
  },
  fetch: proxy,
});

// Below what the demo says of itself.
while (!(await fetch(`http://${managementAddress}/health`).catch(() => undefined))?.ok) await Bun.sleep(100);
console.error(`dashboard from its sources: http://127.0.0.1:${port}${signInPath}#${adminToken}`);
