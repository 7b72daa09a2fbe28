import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  maxTestMs,
  plainConfig,
  sensorEnvironment,
  sensorToken,
  startExecutable,
} from "../support/executable.ts";
import { type ProxyProgram, proxyPrograms } from "../support/proxy-programs.ts";
import { replaced, startReverseProxy } from "../support/reverse-proxy.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const config = `${plainConfig}
management_host_names = ["loom.example.com"]
trusted_proxies = ["127.0.0.1"]
`;
const adminToken = "an-admin-token-for-tests";
const options = { config, environment: { ...sensorEnvironment, LOOM_ADMIN_TOKEN: adminToken } };
/** What a client claims about earlier proxies. */
const claim = ["-H", "X-Forwarded-For: 203.0.113.9"];
const ndjson = ["-H", "Content-Type: application/x-ndjson"];

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * Starts curl at 127.0.0.2, which is not a trusted proxy, with a URL of loom.example.com on 127.0.0.1.
 * @param body sent with POST
 */
function startCurl(port: number, path: string, args: readonly string[], body?: string) {
  const data = body === undefined ? [] : ["--data-binary", "@-"];
  return Bun.spawn(
    [
      ...["curl", "--silent", "--no-buffer", "--insecure", "--include", "--interface", "127.0.0.2"],
      ...["--noproxy", "*", "--max-time", "50", "--resolve", `loom.example.com:${port}:127.0.0.1`],
      ...args,
      ...data,
      `https://loom.example.com:${port}${path}`,
    ],
    { stdin: Buffer.from(body ?? ""), stdout: "pipe", stderr: "inherit" },
  );
}

async function curl(port: number, path: string, args: readonly string[], body?: string): Promise<Answer> {
  const text = await new Response(startCurl(port, path, args, body).stdout).text();
  // "100 Continue" may come first.
  const final = text.slice(text.search(/^HTTP\/\S+ (?!1)\d/m));
  const split = final.indexOf("\r\n\r\n");
  const head = final.slice(0, split);
  return { status: Number(/^HTTP\/\S+ (\d+)/.exec(head)?.[1]), head, body: final.slice(split + 4) };
}

function sendBatch(port: number, body: string, token = sensorToken): Promise<Answer> {
  return curl(port, "/api/v1/ingest", ["-H", `Authorization: Bearer ${token}`, ...ndjson, ...claim], body);
}

function signIn(port: number, token: string): Promise<Answer> {
  const origin = ["-H", `Origin: https://loom.example.com:${port}`, "-H", "Content-Type: application/json"];
  return curl(port, "/api/v1/session", [...origin, ...claim], JSON.stringify({ token }));
}

/** Lines of events with 100,000 bytes each. */
function largeEvents(count: number): string {
  return `{"a":"${"x".repeat(99_991)}"}\n`.repeat(count);
}

for (const program of proxyPrograms) {
  const executable = process.env[`LOOM_TEST_${program.name.toUpperCase()}`];
  if (executable === undefined) test.skip(`skipped: no ${program.name}`, () => {});
  else
    describe(`with the documented configuration of ${program.name},`, () => testsWith(program, executable));
}

function testsWith(program: ProxyProgram, executable: string): void {
  test("a batch is kept, also one that is nearly as large as Loom accepts", async () => {
    await using loom = await startExecutable(options);
    await using proxy = await startReverseProxy(program, executable, loom);
    expect((await sendBatch(proxy.sensorPort, '{"a":1}\n')).status).toBe(204);
    expect((await sendBatch(proxy.sensorPort, largeEvents(19))).status).toBe(204);
    expect(loom.stdoutBytes().length).toBe(8 + 1_900_000);
  });

  test("Loom itself answers 413 to a body that is over its limit", async () => {
    await using loom = await startExecutable(options);
    await using proxy = await startReverseProxy(program, executable, loom);
    const { status, body } = await sendBatch(proxy.sensorPort, largeEvents(30));
    expect([status, body]).toEqual([413, '{"error":"payload_too_large"}']);
    await loom.logged("request refused", { reason: "payload_too_large", client: "127.0.0.2" });
  });

  test("the log has the client's address, not the one that the client claims", async () => {
    await using loom = await startExecutable(options);
    await using proxy = await startReverseProxy(program, executable, loom);
    expect((await sendBatch(proxy.sensorPort, "{}", "wrong")).status).toBe(401);
    expect((await signIn(proxy.dashboardPort, "wrong")).status).toBe(401);
    const [refused] = await loom.logged("request refused");
    const [wrong] = await loom.logged("wrong token at the sign-in");
    expect([refused?.client, wrong?.client]).toEqual(["127.0.0.2", "127.0.0.2"]);
  });

  test("signing in gives a Secure cookie, and the live tail shows an event at once", async () => {
    await using loom = await startExecutable(options);
    await using proxy = await startReverseProxy(program, executable, loom);
    const { status, head } = await signIn(proxy.dashboardPort, adminToken);
    expect(status).toBe(204);
    const cookie = /^set-cookie: (__Host-[^;]+);.*; Secure/im.exec(head)?.[1] ?? "";
    expect(cookie).not.toBe("");
    const viewer = startCurl(proxy.dashboardPort, "/api/v1/tail", ["-H", `Cookie: ${cookie}`]);
    const chunks: Uint8Array[] = [];
    const reading = viewer.stdout.pipeTo(new WritableStream({ write: (chunk) => void chunks.push(chunk) }));
    const seen = () => Buffer.concat(chunks).toString();
    await until("the stream has begun", () => /^content-type: text\/event-stream/im.test(seen()));
    expect((await sendBatch(proxy.sensorPort, '{"marker":"through-the-proxy"}\n')).status).toBe(204);
    await until("the event is shown", () => seen().includes("through-the-proxy"));
    viewer.kill();
    await reading;
  });

  if (program.name === "nginx")
    test("except client_max_body_size, nginx answers 413 itself, which Loom does not count", async () => {
      await using loom = await startExecutable(options);
      const edit = (text: string) => replaced(text, "client_max_body_size 4m;", "");
      await using proxy = await startReverseProxy(program, executable, loom, edit);
      const { status, body } = await sendBatch(proxy.sensorPort, largeEvents(15));
      expect([status, body]).toEqual([413, expect.stringContaining("nginx")]);
      const metrics = await (await fetch(`${loom.managementUrl}/metrics`)).text();
      expect(metrics).not.toContain('status="413"');
    });
  else
    test("sensors get 503 while /ready/ingest is answered 503", async () => {
      await using loom = await startExecutable(options);
      let ready = 503;
      const asked: string[] = [];
      await using health = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch(request) {
          asked.push(request.url.slice(request.url.lastIndexOf("/ready")));
          return new Response("", { status: ready });
        },
      });
      const managementUrl = `http://127.0.0.1:${health.port}`;
      await using proxy = await startReverseProxy(program, executable, { ...loom, managementUrl });
      const isAnswered = async (status: number) =>
        (await sendBatch(proxy.sensorPort, "{}\n")).status === status;
      await until("the batch is refused", () => isAnswered(503), 30_000);
      ready = 200;
      await until("the batch is kept", () => isAnswered(204), 30_000);
      expect(new Set(asked)).toEqual(new Set(["/ready/ingest"]));
    });

  if (program.name === "haproxy")
    for (const version of ["send-proxy", "send-proxy-v2"])
      test(`with ${version} added, which Loom does not support, a batch is answered 400`, async () => {
        await using loom = await startExecutable(options);
        const edit = (text: string) =>
          replaced(text, `:${loom.ingestPort} check`, `:${loom.ingestPort} ${version} check`);
        await using proxy = await startReverseProxy(program, executable, loom, edit);
        expect((await sendBatch(proxy.sensorPort, '{"a":1}\n')).status).toBe(400);
        expect(loom.stdoutBytes().length).toBe(0);
      });
}
