import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCertificate } from "../support/certificate.ts";
import {
  maxTestMs,
  plainConfig,
  type RunningLoom,
  type StartOptions,
  sensorEnvironment,
  startExecutable,
} from "../support/executable.ts";
import { freePort } from "../support/free-port.ts";
import { cookieOf, signInRequest } from "../support/management.ts";
import { openConnection } from "../support/raw-connection.ts";
import { send } from "../support/send.ts";

setDefaultTimeout(maxTestMs);

const adminToken = "an-admin-token-for-tests";
const environment = { ...sensorEnvironment, LOOM_ADMIN_TOKEN: adminToken };

/** Accepts any certificate, follows no redirect, and opens a new connection: an old one may belong to a process that ended. */
function ask(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: "manual", keepalive: false, tls: { rejectUnauthorized: false }, ...init });
}

function signIn(managementUrl: string, token: string): Promise<Response> {
  return ask(`${managementUrl}/api/v1/session`, signInRequest(token));
}

async function sessionStatus(managementUrl: string, cookie: string): Promise<number> {
  return (await ask(`${managementUrl}/api/v1/session`, { headers: { cookie } })).status;
}

/** The tokens of the links in the log. */
async function linkTokens(loom: RunningLoom, count = 1): Promise<string[]> {
  const lines = await loom.logged("sign in to the dashboard", {}, count);
  return lines.map(({ url }) => String(url).split("#")[1] ?? "");
}

describe("without LOOM_ADMIN_TOKEN", () => {
  test("the log has a link to the sign-in page, and its token works", async () => {
    await using loom = await startExecutable();
    const [line] = await loom.logged("sign in to the dashboard");
    expect(line).toMatchObject({ level: "info" });
    const [page, token = ""] = String(line?.url).split("#");
    expect(page).toBe(`${loom.managementUrl}/sign-in`);
    expect((await ask(`${page}`)).status).toBe(200);
    const answer = await signIn(loom.managementUrl, token);
    expect(answer.status).toBe(204);
    expect(await sessionStatus(loom.managementUrl, cookieOf(answer))).toBe(200);
  });

  test("a link works once, and then the log has another one", async () => {
    await using loom = await startExecutable();
    const [first = ""] = await linkTokens(loom);
    await signIn(loom.managementUrl, first);
    expect((await signIn(loom.managementUrl, first)).status).toBe(401);
    const [, second = ""] = await linkTokens(loom, 2);
    expect((await signIn(loom.managementUrl, second)).status).toBe(204);
  });

  test("of several clients that use one link at the same time, one is signed in", async () => {
    await using loom = await startExecutable();
    const [token = ""] = await linkTokens(loom);
    const answers = await Promise.all(Array.from({ length: 5 }, () => signIn(loom.managementUrl, token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 401, 401, 401, 401]);
  });
});

describe("a restart", () => {
  /** Signs in, and restarts Loom on the same port. @returns the status of a request with the old cookie */
  async function statusAfterRestart(first: StartOptions, second = first): Promise<number> {
    const config = plainConfig.replace(/(?<=management_listen_address = "127.0.0.1:)0/, String(freePort()));
    let cookie: string;
    {
      await using loom = await startExecutable({ ...first, config });
      const token = first.environment?.LOOM_ADMIN_TOKEN ?? (await linkTokens(loom))[0] ?? "";
      cookie = cookieOf(await signIn(loom.managementUrl, token));
      expect(await sessionStatus(loom.managementUrl, cookie)).toBe(200);
    }
    await using loom = await startExecutable({ ...second, config });
    return await sessionStatus(loom.managementUrl, cookie);
  }

  test("keeps a session with LOOM_ADMIN_TOKEN", async () => {
    expect(await statusAfterRestart({ environment })).toBe(200);
  });

  test("with another LOOM_ADMIN_TOKEN ends it", async () => {
    const other = { ...environment, LOOM_ADMIN_TOKEN: "another-token-for-tests" };
    expect(await statusAfterRestart({ environment }, { environment: other })).toBe(401);
  });

  test("ends it without LOOM_ADMIN_TOKEN", async () => {
    expect(await statusAfterRestart({ environment: sensorEnvironment })).toBe(401);
  });
});

describe("with LOOM_ADMIN_TOKEN", () => {
  test("the token works repeatedly, and the log has no link", async () => {
    await using loom = await startExecutable({ environment });
    for (let i = 0; i < 3; i++) expect((await signIn(loom.managementUrl, adminToken)).status).toBe(204);
    expect(loom.stderrText()).not.toContain("sign in to the dashboard");
  });

  test("signing out ends the session for every copy of its cookie", async () => {
    await using loom = await startExecutable({ environment });
    const cookie = cookieOf(await signIn(loom.managementUrl, adminToken));
    const answer = await ask(`${loom.managementUrl}/api/v1/session`, {
      method: "DELETE",
      headers: { cookie },
    });
    expect([answer.status, answer.headers.get("set-cookie")]).toEqual([
      204,
      expect.stringContaining("=; Path=/; Max-Age=0"),
    ]);
    expect(await sessionStatus(loom.managementUrl, cookie)).toBe(401);
  });

  test("200 wrong tokens at once neither lock out nor delay a client with the right token", async () => {
    await using loom = await startExecutable({ environment });
    const wrong = Promise.all(
      Array.from({ length: 200 }, (_, i) => signIn(loom.managementUrl, `wrong ${i}`)),
    );
    let areWrongAnswered = false;
    void wrong.then(() => {
      areWrongAnswered = true;
    });
    for (let i = 0; i < 5; i++) expect((await signIn(loom.managementUrl, adminToken)).status).toBe(204);
    // The fifth of the wrong tokens is answered after 4 s.
    expect(areWrongAnswered).toBe(false);
    const statuses = (await wrong).map(({ status }) => status);
    expect([...new Set(statuses)].sort()).toEqual([401, 429]);
    const tooMany = (await wrong).find(({ status }) => status === 429);
    expect(Number(tooMany?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await signIn(loom.managementUrl, adminToken)).status).toBe(204);
  });

  test("the second wrong token is answered later than the first, and ingest is not delayed", async () => {
    await using loom = await startExecutable({ environment });
    const startedAt = performance.now();
    const wrong = [signIn(loom.managementUrl, "wrong"), signIn(loom.managementUrl, "wrong")];
    expect(await send(loom.ingestUrl, "[]")).toBe(204);
    expect((await Promise.all(wrong)).map(({ status }) => status)).toEqual([401, 401]);
    expect(performance.now() - startedAt).toBeGreaterThan(499);
  });

  test("no token is in the log or in an answer, for any kind of request", async () => {
    const config = `${plainConfig}\n[logging]\nlevel = "debug"\n`;
    const tokens = { LOOM_ADMIN_TOKEN: adminToken, LOOM_METRICS_TOKEN: "a-metrics-token-for-tests" };
    await using loom = await startExecutable({ config, environment: { ...sensorEnvironment, ...tokens } });
    const answers = [
      await signIn(loom.managementUrl, adminToken),
      await signIn(loom.managementUrl, "a-guessed-token"),
      await ask(`${loom.managementUrl}/metrics?token=a-guessed-token`),
      await ask(`${loom.managementUrl}/metrics`, {
        headers: { authorization: "Bearer a-metrics-token-for-tests" },
      }),
      await ask(`${loom.managementUrl}/api/v1/session`, {
        headers: { authorization: `Bearer ${adminToken}` },
      }),
    ];
    await loom.logged("wrong token at the sign-in");
    const texts = await Promise.all(
      answers.map(async (one) => JSON.stringify([...one.headers]) + (await one.text())),
    );
    expect(answers.map(({ status }) => status)).toEqual([204, 401, 401, 200, 401]);
    for (const text of [...texts, loom.stderrText()])
      expect(text).not.toMatch(/admin-token-for|metrics-token-for|guessed-token/);
  });

  test("a token of less than 16 characters causes a warning that does not show it", async () => {
    await using loom = await startExecutable({
      environment: { ...sensorEnvironment, LOOM_ADMIN_TOKEN: "hunter2", LOOM_METRICS_TOKEN: "hunter3" },
    });
    const warnings = ["LOOM_ADMIN_TOKEN", "LOOM_METRICS_TOKEN"].map(
      (variable) => `${variable} has fewer than 16 characters; better: openssl rand -hex 24`,
    );
    for (const warning of warnings) expect((await loom.logged(warning))[0]?.level).toBe("warn");
    expect(loom.stderrText()).not.toMatch(/hunter[23]/);
  });
});

describe("/metrics with LOOM_METRICS_TOKEN", () => {
  test("needs the token, and no other path does", async () => {
    const metricsToken = "a-metrics-token-for-tests";
    await using loom = await startExecutable({
      environment: { ...sensorEnvironment, LOOM_METRICS_TOKEN: metricsToken },
    });
    const statusOf = async (path: string, headers: Record<string, string> = {}) =>
      (await ask(loom.managementUrl + path, { headers })).status;
    expect(await statusOf("/metrics", { authorization: `Bearer ${metricsToken}` })).toBe(200);
    expect(await statusOf("/metrics", { authorization: "Bearer another" })).toBe(401);
    expect(await statusOf("/metrics")).toBe(401);
    expect(await statusOf("/ready")).toBe(200);
  });
});

describe("the page in the executable", () => {
  async function start() {
    const loom = await startExecutable({ environment });
    return { loom, cookie: cookieOf(await signIn(loom.managementUrl, adminToken)) };
  }

  const referencesIn = (html: string) =>
    [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? "");

  test("is complete: every file that it names exists, and none is on another host", async () => {
    const { loom, cookie } = await start();
    await using _loom = loom;
    for (const path of ["/", "/sign-in"]) {
      const page = await ask(loom.managementUrl + path, { headers: { cookie } });
      expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html;charset=utf-8"]);
      const references = referencesIn(await page.text());
      expect(references.length).toBeGreaterThanOrEqual(3);
      for (const reference of references) {
        expect(reference).toMatch(/^\/[\w.-]+$/);
        const file = await ask(loom.managementUrl + reference, { headers: { cookie } });
        expect(file.status).toBe(200);
        expect((await file.text()).length).toBeGreaterThan(0);
        expect(file.headers.get("cache-control")).toContain("max-age=31536000, immutable");
      }
    }
  });

  test("serves the files of the sign-in page without a session, and no others", async () => {
    const { loom, cookie } = await start();
    await using _loom = loom;
    const textOf = async (path: string, headers = {}) =>
      (await ask(loom.managementUrl + path, { headers })).text();
    const ofSignIn = referencesIn(await textOf("/sign-in"));
    const ofPage = referencesIn(await textOf("/", { cookie }));
    for (const reference of ofSignIn) expect((await ask(loom.managementUrl + reference)).status).toBe(200);
    for (const reference of ofPage.filter((one) => !ofSignIn.includes(one))) {
      const answer = await ask(loom.managementUrl + reference);
      expect([answer.status, await answer.text()]).toEqual([302, ""]);
    }
    expect(ofPage.some((one) => !ofSignIn.includes(one))).toBe(true);
  });
});

describe("management_tls", () => {
  const old = createCertificate("old.example");
  const next = createCertificate("next.example");
  const filesOf = ({ cert, key }: typeof old) => ({ "tls.crt": cert, "tls.key": key });
  const tlsFiles = 'cert_file = "tls.crt"\nkey_file = "tls.key"\nmanagement_tls = true\n';
  /** Plain HTTP for ingest, TLS for the management port. */
  const options: StartOptions = { config: plainConfig + tlsFiles, files: filesOf(old), environment };
  const httpsUrl = ({ managementUrl }: RunningLoom) => managementUrl.replace("http:", "https:");

  test("serves health, page and API over TLS, with a cookie that plain HTTP never carries", async () => {
    await using loom = await startExecutable(options);
    expect(await (await ask(`${httpsUrl(loom)}/health`)).text()).toBe("ok");
    const answer = await signIn(httpsUrl(loom), adminToken);
    expect(answer.headers.get("set-cookie")).toMatch(
      /^__Host-loom-\d+=.*; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(await sessionStatus(httpsUrl(loom), cookieOf(answer))).toBe(200);
    expect(await send(loom.ingestUrl, "[]")).toBe(204);
  });

  test("makes the link https", async () => {
    await using loom = await startExecutable({ ...options, environment: sensorEnvironment });
    expect(String((await loom.logged("sign in to the dashboard"))[0]?.url)).toStartWith(
      `${httpsUrl(loom)}/sign-in#`,
    );
  });

  test("serves nothing over plain HTTP", async () => {
    await using loom = await startExecutable(options);
    using connection = await openConnection(Number(new URL(loom.managementUrl).port));
    connection.send("GET /health HTTP/1.1\r\nhost: loom.example\r\n\r\n");
    await connection.closed();
    expect(connection.received()).not.toContain("200");
  });

  test("uses a new certificate after SIGHUP, and keeps open connections", async () => {
    await using loom = await startExecutable(options);
    const port = Number(new URL(loom.managementUrl).port);
    using kept = await openConnection(port, "tls");
    expect(kept.commonName()).toBe("old.example");
    for (const [name, content] of Object.entries(filesOf(next))) {
      writeFileSync(join(loom.folder, `${name}.new`), content);
      renameSync(join(loom.folder, `${name}.new`), join(loom.folder, name));
    }
    loom.signal("SIGHUP");
    await loom.logged("reloaded", { part: "certificate" });
    for (let i = 0; i < 5; i++) {
      using connection = await openConnection(port, "tls");
      expect(connection.commonName()).toBe("next.example");
    }
    kept.send("GET /health HTTP/1.1\r\nhost: loom.example\r\n\r\n");
    expect(await kept.statuses(1)).toEqual([200]);
  });

  test("uses the certificate of ingest", async () => {
    const config = (plainConfig + tlsFiles).replace("tls = false\n", "");
    await using loom = await startExecutable({ ...options, config });
    using ingest = await openConnection(loom.ingestPort, "tls");
    using management = await openConnection(Number(new URL(loom.managementUrl).port), "tls");
    expect([ingest.commonName(), management.commonName()]).toEqual(["old.example", "old.example"]);
  });
});

describe("a management port that is reachable from other machines", () => {
  const message =
    "the management port is reachable from other machines without TLS; set server.management_tls";
  const config = plainConfig.replace(
    'management_listen_address = "127.0.0.1:0"',
    'management_listen_address = ":0"',
  );

  test("causes one warning without TLS", async () => {
    await using loom = await startExecutable({ config });
    expect(await loom.logged(message)).toMatchObject([{ level: "warn" }]);
    await loom.logged("started");
    expect(loom.stderrText().split(message)).toHaveLength(2);
  });

  test("causes no warning with TLS", async () => {
    const { cert, key } = createCertificate("loom.example");
    const tls = 'cert_file = "tls.crt"\nkey_file = "tls.key"\nmanagement_tls = true\n';
    await using loom = await startExecutable({
      config: config + tls,
      files: { "tls.crt": cert, "tls.key": key },
    });
    await loom.logged("started");
    expect(loom.stderrText()).not.toContain(message);
  });

  test("causes no warning if it is reachable only from this machine", async () => {
    await using loom = await startExecutable();
    await loom.logged("started");
    expect(loom.stderrText()).not.toContain(message);
  });
});
