import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Executable, maxTestMs, runExecutable, runToEnd } from "../support/executable.ts";
import { signInRequest } from "../support/management.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const anyPorts = ["-listen-address", "127.0.0.1:0", "-management-listen-address", "127.0.0.1:0"];

/** Where demos make the folders for what they store. */
const temporary = mkdtempSync(join(tmpdir(), "loom-demo-test-"));
afterAll(() => rmSync(temporary, { recursive: true }));

function startDemo(...args: string[]): Executable {
  return runExecutable({ args: ["demo", ...anyPorts, ...args], environment: { TMPDIR: temporary } });
}

/** Waits for the text that says what to try. */
function introductionOf(demo: Executable): Promise<string> {
  return until("the introduction", () => demo.stderrText().includes("Ctrl-C") && demo.stderrText());
}

/** Waits for an event on stdout. */
async function firstEventOf(demo: Executable) {
  const line = await until("an event", () => /^.+(?=\n)/.exec(demo.stdoutBytes().toString())?.[0]);
  return JSON.parse(line);
}

test("an enriched event appears without a request", async () => {
  await using demo = startDemo();
  const { source } = await firstEventOf(demo);
  expect(source.geo).toMatchObject({ country_iso_code: "GB", country_name: "United Kingdom" });
  expect(source.as).toEqual({ number: 20712, organization: { name: "Andrews & Arnold Ltd" } });
});

test("the demo leaves no file in the directory", async () => {
  await using demo = startDemo();
  await firstEventOf(demo);
  demo.signal("SIGINT");
  expect(await demo.exited).toBe(0);
  expect(readdirSync(demo.folder)).toEqual(["loom"]);
});

test("the demo stores events in a folder of its own, which it removes at the end", async () => {
  const own = join(temporary, "own");
  mkdirSync(own);
  await using demo = runExecutable({ args: ["demo", ...anyPorts], environment: { TMPDIR: own } });
  const url = /management +(\S+)\/health/.exec(await introductionOf(demo))?.[1];
  await until("an event is stored", async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return /^loom_store_events [1-9]/m.test(metrics);
  });
  expect(readdirSync(own)).toEqual([expect.stringMatching(/^loom-demo-/)]);
  demo.signal("SIGINT");
  expect(await demo.exited).toBe(0);
  expect(readdirSync(own)).toEqual([]);
});

test("/health and /metrics are at the address that the demo prints", async () => {
  await using demo = startDemo();
  const url = /management +(\S+)\/health/.exec(await introductionOf(demo))?.[1];
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect((await fetch(`${url}/metrics`)).status).toBe(200);
});

describe("the dashboard", () => {
  const signIn = (url: string | undefined, token: string | undefined) =>
    fetch(`${url}/api/v1/session`, signInRequest(token ?? ""));

  test("opens with the link that the demo prints", async () => {
    await using demo = startDemo();
    const [, url, token] = /dashboard +(\S+)\/sign-in#(\S+)/.exec(await introductionOf(demo)) ?? [];
    expect((await fetch(`${url}/sign-in`)).status).toBe(200);
    expect((await signIn(url, token)).status).toBe(204);
  });

  test("opens with LOOM_ADMIN_TOKEN if that is set, and the demo does not print it", async () => {
    const environment = { LOOM_ADMIN_TOKEN: "an-admin-token-for-tests", TMPDIR: temporary };
    await using demo = runExecutable({ args: ["demo", ...anyPorts], environment });
    const introduction = await introductionOf(demo);
    const url = /dashboard +(\S+)\/ .*LOOM_ADMIN_TOKEN/.exec(introduction)?.[1];
    expect(introduction).not.toContain("an-admin-token-for-tests");
    expect((await signIn(url, "an-admin-token-for-tests")).status).toBe(204);
  });
});

test.skipIf(!Bun.which("curl"))(
  "the curl command works as it is printed, and -no-replay sends nothing else",
  async () => {
    await using demo = startDemo("-no-replay");
    const command = /^ {2}curl[\s\S]*?\]'$/m.exec(await introductionOf(demo))?.[0] ?? "";
    const { stdout } = Bun.spawnSync(["sh", "-c", command]);
    expect(stdout.toString()).toStartWith("HTTP/1.1 204 ");
    await firstEventOf(demo);
    const lines = demo.stdoutBytes().toString().trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).event.summary)).toEqual(["hello"]);
    expect(JSON.parse(lines[0] ?? "").source.geo.country_iso_code).toBe("GB");
  },
);

test("each start has another token, and the log does not show it", async () => {
  await using first = startDemo();
  await using second = startDemo();
  const tokenOf = async (demo: Executable) => /Bearer ([\w-]{32})'/.exec(await introductionOf(demo))?.[1];
  const tokens = [await tokenOf(first), await tokenOf(second)];
  expect(new Set(tokens).size).toBe(2);
  expect(tokens).not.toContain(undefined);
  const log = first
    .stderrText()
    .split("\n")
    .filter((line) => /^\d{4}-/.test(line));
  expect(log.join("\n")).not.toContain(String(tokens[0]));
});

describe("if a port is in use, the demo exits and names the flag for another address", () => {
  for (const flag of ["-listen-address", "-management-listen-address"])
    test(flag, async () => {
      const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
      try {
        const args = ["demo", ...anyPorts, flag, `127.0.0.1:${other.port}`];
        const { status, stdout, stderr } = await runToEnd({ args, environment: {} });
        expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
        expect(stderr.trimEnd().split("\n").at(-1)).toEndWith(
          `cannot listen on 127.0.0.1:${other.port}: the port is in use by another program; ` +
            `use ${flag} for another address`,
        );
      } finally {
        other.stop(true);
      }
    });
});

test("an invalid address is an error that names the key", async () => {
  const { status, stderr } = await runToEnd({ args: ["demo", "-listen-address", "8080"], environment: {} });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^config: .*listen_address.*\n$/);
});
