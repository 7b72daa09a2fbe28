import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sampleCityDatabase } from "../mmdb/samples.ts";
import { createCertificate, type TestCertificate } from "../support/certificate.ts";
import {
  maxTestMs,
  plainConfig,
  type RunningLoom,
  type StartOptions,
  startExecutable,
} from "../support/executable.ts";
import { openConnection } from "../support/raw-connection.ts";
import { send, wholeRequest } from "../support/send.ts";

setDefaultTimeout(maxTestMs);

/** Replaces files with a rename, as programs that renew certificates and databases do. */
function replace(loom: RunningLoom, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(loom.folder, `${name}.new`), content);
    renameSync(join(loom.folder, `${name}.new`), join(loom.folder, name));
  }
}

function reloaded(loom: RunningLoom, part: string, count = 1): Promise<unknown> {
  return loom.logged("reloaded", { part }, count);
}

describe("tokens after SIGHUP", () => {
  const options: StartOptions = {
    config: `${plainConfig}\n[auth]\ntoken_file = "tokens.txt"\n`,
    files: { "tokens.txt": "old-token,vps-1\n" },
    environment: {},
  };

  test("the new token is accepted and the old one refused, in the same process", async () => {
    await using loom = await startExecutable(options);
    replace(loom, { "tokens.txt": "new-token,vps-1\n" });
    expect(await send(loom.ingestUrl, "[]", { token: "new-token" })).toBe(401);
    loom.signal("SIGHUP");
    await loom.logged("reloaded", { part: "tokens" });
    expect(await send(loom.ingestUrl, "[]", { token: "new-token" })).toBe(204);
    expect(await send(loom.ingestUrl, "[]", { token: "old-token" })).toBe(401);
  });

  for (const [title, content] of [
    ["broken", "a-secret-token without a comma\n"],
    ["empty", "\n"],
  ] as const)
    test(`a file that is ${title} leaves the old tokens in use, and is logged without a token`, async () => {
      await using loom = await startExecutable(options);
      replace(loom, { "tokens.txt": content });
      loom.signal("SIGHUP");
      const [line] = await loom.logged("cannot reload; the previous content stays in use");
      expect(line).toMatchObject({ level: "error", part: "tokens" });
      expect(loom.stderrText()).not.toContain("a-secret-token");
      expect(await send(loom.ingestUrl, "[]", { token: "old-token" })).toBe(204);
    });
});

describe("the certificate after SIGHUP", () => {
  const tlsConfig = plainConfig.replace("tls = false", 'cert_file = "tls.crt"\nkey_file = "tls.key"');
  const filesOf = ({ cert, key }: TestCertificate) => ({ "tls.crt": cert, "tls.key": key });
  const old = createCertificate("old.example");
  const next = createCertificate("next.example");
  const options = { config: tlsConfig, files: filesOf(old) };
  const nameShown = async (loom: RunningLoom) => {
    using connection = await openConnection(loom.ingestPort, "tls");
    return connection.commonName();
  };

  test("is the new one for new connections", async () => {
    await using loom = await startExecutable(options);
    expect(await nameShown(loom)).toBe("old.example");
    replace(loom, filesOf(next));
    loom.signal("SIGHUP");
    await reloaded(loom, "certificate");
    for (let i = 0; i < 10; i++) expect(await nameShown(loom)).toBe("next.example");
  });

  test("leaves an open connection in use", async () => {
    await using loom = await startExecutable(options);
    using connection = await openConnection(loom.ingestPort, "tls");
    connection.send(wholeRequest('[{"sent":"before"}]'));
    await connection.statuses(1);
    replace(loom, filesOf(next));
    loom.signal("SIGHUP");
    await reloaded(loom, "certificate");
    await nameShown(loom);
    connection.send(wholeRequest('[{"sent":"after"}]'));
    expect(await connection.statuses(2)).toEqual([204, 204]);
    expect(loom.stdoutBytes().toString()).toBe('{"sent":"before"}\n{"sent":"after"}\n');
  });

  test("a batch whose second half arrives after the replacement is kept", async () => {
    await using loom = await startExecutable(options);
    using connection = await openConnection(loom.ingestPort, "tls");
    const request = wholeRequest('[{"sent":"in two halves"}]');
    connection.send(request.slice(0, -10));
    replace(loom, filesOf(next));
    loom.signal("SIGHUP");
    await reloaded(loom, "certificate");
    connection.send(request.slice(-10));
    expect(await connection.statuses(1)).toEqual([204]);
  });

  const broken: [title: string, files: Record<string, string>][] = [
    ["garbage", { "tls.crt": "garbage" }],
    ["of another key", { "tls.crt": next.cert }],
    ["empty", { "tls.crt": "", "tls.key": "" }],
  ];
  for (const [title, files] of broken)
    test(`stays the old one if the new one is ${title}, which is logged`, async () => {
      await using loom = await startExecutable(options);
      replace(loom, files);
      loom.signal("SIGHUP");
      const [line] = await loom.logged("cannot reload; the previous content stays in use");
      expect(line).toMatchObject({ level: "error", part: "certificate" });
      expect(await nameShown(loom)).toBe("old.example");
    });

  test("200 requests over open connections during 5 replacements are all answered 204, and kept once", async () => {
    await using loom = await startExecutable({
      ...options,
      config: `${tlsConfig}[limits]\nper_sensor_rps = -1\n`,
    });
    let sent = 0;
    let refused = 0;
    const sensor = async () => {
      using connection = await openConnection(loom.ingestPort, "tls");
      for (let answers = 1; sent < 200; answers++) {
        connection.send(wholeRequest(`[{"n":${sent++}}]`));
        if ((await connection.statuses(answers)).at(-1) !== 204) refused++;
      }
    };
    const sensors = [sensor(), sensor(), sensor(), sensor()];
    for (let i = 1; i <= 5; i++) {
      replace(loom, filesOf(i % 2 === 0 ? old : next));
      loom.signal("SIGHUP");
      await reloaded(loom, "certificate", i);
    }
    await Promise.all(sensors);
    const numbers = loom
      .stdoutBytes()
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).n);
    expect(refused).toBe(0);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, n) => n));
  });

  test("new connections are all served during 20 replacements", async () => {
    await using loom = await startExecutable({
      ...options,
      config: `${tlsConfig}[limits]\nper_sensor_rps = -1\n`,
    });
    let isDone = false;
    const statuses = new Set<number>();
    const client = async () => {
      while (!isDone) {
        using connection = await openConnection(loom.ingestPort, "tls");
        connection.send(wholeRequest("[]"));
        for (const status of await connection.statuses(1)) statuses.add(status);
      }
    };
    const clients = [client(), client(), client(), client()];
    for (let i = 1; i <= 20; i++) {
      replace(loom, filesOf(i % 2 === 0 ? old : next));
      loom.signal("SIGHUP");
      await reloaded(loom, "certificate", i);
    }
    isDone = true;
    await Promise.all(clients);
    expect([...statuses]).toEqual([204]);
  });

  test("that was replaced ten times is the last one for every new connection, and Loom still stops", async () => {
    await using loom = await startExecutable(options);
    for (let i = 1; i <= 10; i++) {
      replace(loom, filesOf(i % 2 === 0 ? old : next));
      loom.signal("SIGHUP");
      await reloaded(loom, "certificate", i);
    }
    for (let i = 0; i < 20; i++) expect(await nameShown(loom)).toBe("old.example");
    loom.signal("SIGTERM");
    expect(await loom.exited).toBe(0);
  });
});

test("a database replaced on disk is used after SIGHUP", async () => {
  await using loom = await startExecutable({
    config: `${plainConfig}\n[enrichment]\ngeoip_db_path = "city.mmdb"\n`,
    files: { "city.mmdb": sampleCityDatabase("Oldtown") },
  });
  const event = '[{"source":{"ip":"81.2.69.160"}}]';
  await send(loom.ingestUrl, event);
  replace(loom, { "city.mmdb": sampleCityDatabase("Newtown") });
  loom.signal("SIGHUP");
  await loom.logged("database reloaded");
  await send(loom.ingestUrl, event);
  const cities = loom
    .stdoutBytes()
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).source.geo.city_name);
  expect(cities).toEqual(["Oldtown", "Newtown"]);
});
