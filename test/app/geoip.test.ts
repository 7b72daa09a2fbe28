import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type DownloadServer, sha256, startDownloadServer } from "../enrich/update/download-server.ts";
import { maxmindArchive } from "../enrich/update/tar.ts";
import { sampleCityDatabase } from "../mmdb/samples.ts";
import { createCertificate } from "../support/certificate.ts";
import {
  maxTestMs,
  plainConfig,
  runExecutable,
  runToEnd,
  sensorEnvironment,
  sensorToken,
  startExecutable,
} from "../support/executable.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const database = sampleCityDatabase("London");
const archive = maxmindArchive(database);
const maxmindPath = "/geoip/databases/GeoLite2-City/download?suffix=tar.gz";
const environment = {
  ...sensorEnvironment,
  LOOM_MAXMIND_ACCOUNT_ID: "123456",
  LOOM_MAXMIND_LICENSE_KEY: "hunter2_mmk",
};
const update = ["geoip", "update", "-config", "loom.toml"];

let server: DownloadServer;

beforeAll(async () => {
  server = await startDownloadServer();
});

afterAll(() => server[Symbol.asyncDispose]());

beforeEach(() => {
  server.answers.clear();
  server.answers.set(maxmindPath, ({ headers }) =>
    headers["if-none-match"] === '"1"' ? { status: 304 } : { body: archive, headers: { etag: '"1"' } },
  );
  server.answers.set(`${maxmindPath}.sha256`, { body: `${sha256(archive)}  x.tar.gz\n` });
});

function configWith(source: string, baseUrl = server.url): string {
  return `${plainConfig}
[enrichment]
geoip_db_path = "city.mmdb"
[enrichment.update]
geoip = "${source}"
maxmind_url = "${baseUrl}"
`;
}

describe("a running Loom", () => {
  test("starts without the file, downloads it, and adds its places to events", async () => {
    await using loom = await startExecutable({ config: configWith("maxmind:GeoLite2-City"), environment });
    await loom.logged("database downloaded", { role: "geoip", source: "maxmind:GeoLite2-City" });
    await loom.logged("database loaded", { role: "geoip", path: "city.mmdb" });
    const response = await fetch(loom.ingestUrl, {
      method: "POST",
      headers: { authorization: `Bearer ${sensorToken}`, "content-type": "application/json" },
      body: '[{"source":{"ip":"81.2.69.160"}}]',
    });
    expect(response.status).toBe(204);
    await until("the event", () => loom.stdoutBytes().includes('"city_name":"London"'));
    expect(loom.stderrText()).not.toContain("hunter2");
  });

  test("continues with its database if the server fails, and counts it", async () => {
    server.answers.clear();
    const config = configWith("maxmind:GeoLite2-City");
    await using loom = await startExecutable({ config, environment });
    await until("the failure", () => loom.stderrText().includes("cannot update a database"));
    expect(await (await fetch(`${loom.managementUrl}/metrics`)).text()).toContain(
      'loom_geoip_update_checks_total{database="geoip",result="failed"} 1',
    );
  });

  test("stops at once during a download", async () => {
    server.answers.set(maxmindPath, { body: archive.subarray(0, 100), end: "stall" });
    const requests = server.requests.length;
    await using loom = await startExecutable({ config: configWith("maxmind:GeoLite2-City"), environment });
    await until("the download", () => server.requests.length > requests);
    loom.signal("SIGTERM");
    expect(await loom.exited).toBe(0);
    expect(loom.stderrText()).not.toContain("cannot stop completely");
  });
});

describe("loom geoip update", () => {
  test("downloads the database, and then finds it up to date", async () => {
    const config = configWith("maxmind:GeoLite2-City");
    const first = await runToEnd({ args: update, config, environment });
    expect(first).toEqual({
      status: 0,
      stdout: "geoip: city.mmdb is GeoLite2-City of 2026-01-01 now; a running Loom loads it within 10 s\n",
      stderr: "geoip: downloading maxmind:GeoLite2-City\n",
    });
    const origin = { "city.mmdb": database };
    const second = await runToEnd({ args: update, config, environment, files: origin });
    expect(second.stdout).toBe("geoip: city.mmdb is up to date: GeoLite2-City of 2026-01-01\n");
    expect(second.status).toBe(0);
  });

  test("fails with the reason, and without the license key", async () => {
    server.answers.set(maxmindPath, { status: 401 });
    const config = configWith("maxmind:GeoLite2-City");
    expect(await runToEnd({ args: update, config, environment })).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "loom geoip update: geoip: cannot update city.mmdb from maxmind:GeoLite2-City: the server answered 401: LOOM_MAXMIND_ACCOUNT_ID or LOOM_MAXMIND_LICENSE_KEY is wrong\n",
    });
  });

  test("ends after SIGINT, and removes its temporary file", async () => {
    server.answers.set(maxmindPath, { body: archive.subarray(0, 100), end: "stall" });
    const config = configWith("maxmind:GeoLite2-City");
    await using loom = runExecutable({ args: update, config, environment });
    await until("the download", () => loom.stderrText().includes("downloading"));
    loom.signal("SIGINT");
    expect(await loom.exited).toBe(1);
    expect(loom.stderrText()).toEndWith(": the update was stopped\n");
    expect(await Array.fromAsync(new Bun.Glob(".city.mmdb*").scan({ cwd: loom.folder, dot: true }))).toEqual(
      [],
    );
  });

  test("fails if nothing is to be updated", async () => {
    expect(await runToEnd({ args: update, config: plainConfig })).toEqual({
      status: 1,
      stdout: "",
      stderr: "loom geoip update: [enrichment.update] has neither geoip nor asn\n",
    });
  });

  test.each([
    [["geoip"], 'loom geoip: the action is missing: update; see "loom help"\n'],
    [["geoip", "remove"], 'loom geoip: "remove" is not update; see "loom help"\n'],
  ])("%p is a wrong command line", async (args, stderr) => {
    expect(await runToEnd({ args })).toEqual({ status: 2, stdout: "", stderr });
  });

  test("does not follow a redirect from HTTPS to HTTP", async () => {
    const certificate = createCertificate("localhost");
    using secure = Bun.serve({
      port: 0,
      tls: certificate,
      fetch: () => Response.redirect(`${server.url}${maxmindPath}`, 302),
    });
    const config = configWith("maxmind:GeoLite2-City", `https://localhost:${secure.port}`);
    const { status, stderr } = await runToEnd({
      args: update,
      config,
      environment: { ...environment, NODE_EXTRA_CA_CERTS: "ca.pem" },
      files: { "ca.pem": certificate.cert },
    });
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("it redirects from HTTPS to HTTP on 127.0.0.1:"),
    ]);
  });

  test("does not trust a server with an unknown certificate", async () => {
    using secure = Bun.serve({ port: 0, tls: createCertificate("localhost"), fetch: () => new Response() });
    const config = configWith("maxmind:GeoLite2-City", `https://localhost:${secure.port}`);
    const { status, stderr } = await runToEnd({ args: update, config, environment });
    expect([status, stderr]).toEqual([1, expect.stringContaining("no answer: DEPTH_ZERO_SELF_SIGNED_CERT")]);
  });
});
