import { describe, expect, test } from "bun:test";
import { Listener } from "../../server/http/listener.ts";
import { OwnHosts } from "../../server/management/own-hosts.ts";
import { MetricRegistry } from "../../server/telemetry/metric-registry.ts";
import { createCertificate } from "../support/certificate.ts";
import { recordingLog, silentLog } from "../support/log.ts";
import { managementTest, secret, secretRoutes } from "../support/management.ts";
import { openConnection } from "../support/raw-connection.ts";

interface Names {
  readonly names?: readonly string[];
  readonly certificate?: string;
}

function answerTo(host: string | undefined, { names = [], certificate }: Names = {}) {
  const hosts = new OwnHosts({ names, certificate: () => certificate, log: silentLog });
  const headers = host === undefined ? {} : { host };
  return hosts.refuse(new Request("http://loom.example/", { headers }))?.status ?? "accepted";
}

describe("a request is accepted under", () => {
  for (const host of ["127.0.0.1", "192.0.2.1:9080", "[::1]:9080", "localhost", "LocalHost:9080", ""])
    test(`"${host}"`, () => expect(answerTo(host)).toBe("accepted"));

  test("no name", () => expect(answerTo(undefined)).toBe("accepted"));

  test("a configured name, in any case, with any port", () => {
    for (const host of ["loom.example", "LOOM.example.:443"])
      expect(answerTo(host, { names: ["loom.example"] })).toBe("accepted");
  });

  test("the names of the certificate, also of a wildcard one", () => {
    expect(answerTo("loom.example", { certificate: createCertificate("loom.example").cert })).toBe(
      "accepted",
    );
    expect(answerTo("a.example.com", { certificate: createCertificate("*.example.com").cert })).toBe(
      "accepted",
    );
  });
});

describe("a request is refused under", () => {
  for (const host of [
    "evil.example",
    "loom.example.evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "1.2.3",
  ])
    test(`"${host}"`, () => {
      expect(answerTo(host, { names: ["loom.example"] })).toBe(421);
    });

  test("a name that the certificate does not have, and one that it had before it was replaced", () => {
    let certificate = createCertificate("old.example").cert;
    const hosts = new OwnHosts({ names: [], certificate: () => certificate, log: silentLog });
    const refuse = (host: string) => hosts.refuse(new Request("http://a/", { headers: { host } }))?.status;
    expect([refuse("old.example"), refuse("new.example")]).toEqual([undefined, 421]);
    certificate = createCertificate("new.example").cert;
    expect([refuse("old.example"), refuse("new.example")]).toEqual([421, undefined]);
  });
});

test("the answer and the log name the key; the log has each name once, and 16 names at most", async () => {
  const log = recordingLog();
  const hosts = new OwnHosts({ names: [], certificate: () => undefined, log });
  const refuse = (host: string) => hosts.refuse(new Request("http://a/", { headers: { host } }));
  expect(await refuse("proxy.example:80")?.text()).toContain(
    "has the name proxy.example, which is not a name of this server.\nIf it should be, add it to server.management_host_names",
  );
  refuse("proxy.example");
  expect(log.lines).toMatchObject([{ level: "warn", fields: { name: "proxy.example" } }]);
  expect(log.lines[0]?.message).toContain("server.management_host_names");
  for (let i = 0; i < 100; i++) refuse(`name-${i}.example`);
  expect(log.lines).toHaveLength(16);
});

describe("the management port", () => {
  /** The status and the body of the answer to a GET request with these headers, through a socket. */
  async function answered(path: string, head: string, version = "1.1") {
    const metrics = new MetricRegistry();
    metrics.gauge({ name: "loom_secret", help: secret, read: () => [] });
    const management = managementTest({ routes: [secretRoutes], metrics });
    const cookie = await management.signIn();
    const listener = new Listener({
      name: "management",
      address: { text: "127.0.0.1:0", host: "127.0.0.1", port: 0 },
    });
    listener.listen((request) => management.app.handle(request));
    using connection = await openConnection(listener.port);
    connection.send(`GET ${path} HTTP/${version}\r\n${head}cookie: ${cookie}\r\nconnection: close\r\n\r\n`);
    const [status] = await connection.statuses(1);
    await connection.closed();
    await listener.stop(0);
    return { status, hasSecret: connection.received().includes(secret) };
  }

  const dataPaths = ["/metrics", "/api/v1/secret"];
  for (const path of [...dataPaths, "/", "/sign-in", "/api/v1/nothing", "/chunk-app.js"])
    test(`answers ${path} with 421 under an unknown name, also to a signed-in client`, async () => {
      expect(await answered(path, "host: evil.example:9080\r\n")).toEqual({ status: 421, hasSecret: false });
    });

  for (const path of ["/health", "/live", "/ready", "/ready/ingest"])
    test(`answers ${path} under any name`, async () => {
      expect((await answered(path, "host: balancer.example\r\n")).status).toBe(200);
    });

  // The name of the session's cookie contains the port, which the requests of a browser name.
  for (const host of ["127.0.0.1:9080", "[::1]:9080", "localhost:9080"])
    test(`answers with data under "${host}"`, async () => {
      for (const path of dataPaths)
        expect(await answered(path, `host: ${host}\r\n`)).toEqual({ status: 200, hasSecret: true });
    });

  test("answers with metrics without a name: HTTP/1.0, and an empty Host", async () => {
    const answer = { status: 200, hasSecret: true };
    expect(await answered("/metrics", "", "1.0")).toEqual(answer);
    expect(await answered("/metrics", "host:\r\n")).toEqual(answer);
  });

  for (const host of ["a", "vm1", "a:80", "vm12"])
    test(`finds the path under the short name "${host}"`, async () => {
      expect((await answered("/health", `host: ${host}\r\n`)).status).toBe(200);
      expect((await answered("/metrics", `host: ${host}\r\n`)).status).toBe(421);
    });

  for (const head of [
    "host: localhost\r\nhost: evil.example\r\n",
    "host: localhost\r\nhost: localhost\r\n",
    "host: localhost/health\r\n",
    "host: evil@localhost\r\n",
    "host: localhost?\r\n",
  ])
    test(`answers 400 to ${JSON.stringify(head)}`, async () => {
      for (const path of [...dataPaths, "/health"])
        expect(await answered(path, head)).toEqual({ status: 400, hasSecret: false });
    });
});
