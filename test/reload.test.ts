import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IgnoreRuleConfig, SensorCredential } from "../server/config/config.ts";
import { loadConfig } from "../server/config/load-config.ts";
import type { TlsCertificate } from "../server/http/tls-certificate.ts";
import { outputDescriptors } from "../server/outputs/registry.ts";
import { type ReloadableFiles, Reloader, readCertificate, readSensors } from "../server/reload.ts";
import { createCertificate } from "./support/certificate.ts";
import { type RecordingLog, recordingLog } from "./support/log.ts";

let folder: string;
let log: RecordingLog;
let tokens: (readonly SensorCredential[])[];
let certificates: TlsCertificate[];
let rules: (readonly IgnoreRuleConfig[])[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-reload-"));
  log = recordingLog();
  tokens = [];
  certificates = [];
  rules = [];
  write("tokens.txt", "token-1,vps-1\n");
  writeCertificate("one.example");
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string): void {
  writeFileSync(join(folder, name), content);
}

function writeCertificate(name: string, expiresAt?: Date): void {
  const { cert, key } = createCertificate(name, expiresAt);
  write("tls.crt", cert);
  write("tls.key", key);
}

async function filesWith(server: string): Promise<ReloadableFiles> {
  writeConfig(server);
  const readConfig = () => loadConfig(join(folder, "loom.toml"), {}, outputDescriptors);
  return { config: await readConfig(), environment: {}, log, readConfig };
}

function writeConfig(server: string, more = ""): void {
  write("loom.toml", `[server]\n${server}\n[auth]\ntoken_file = "${folder}/tokens.txt"\n${more}`);
}

const withTls = () => filesWith(`cert_file = "${folder}/tls.crt"\nkey_file = "${folder}/tls.key"`);

function reloaderOf(files: ReloadableFiles, reloadDatabases = async () => {}): Reloader {
  const listener = { useCertificate: (next: TlsCertificate) => void certificates.push(next) };
  return new Reloader(files, {
    authenticator: { replace: (next) => void tokens.push(next) },
    listeners: [listener, listener],
    ignoreRules: { replace: (next) => void rules.push(next) },
    databases: { reload: reloadDatabases },
  });
}

const reloadedParts = () =>
  log.lines.filter(({ message }) => message === "reloaded").map(({ fields }) => fields.part);

describe("a reload", () => {
  test("hands the new tokens to the authenticator", async () => {
    const reloader = reloaderOf(await withTls());
    write("tokens.txt", "token-2,vps-2\n");
    await reloader.reload();
    expect(tokens.map((sensors) => sensors.map(({ sensorId }) => sensorId))).toEqual([["vps-2"]]);
    expect(reloadedParts()).toEqual(["tokens", "certificate", "ignore rules"]);
  });

  test("hands the new certificate to every listener", async () => {
    const files = await withTls();
    const first = await readCertificate(files);
    writeCertificate("two.example");
    await reloaderOf(files).reload();
    expect(certificates.map(({ subject }) => subject)).toEqual(["CN=two.example", "CN=two.example"]);
    expect(first?.subject).toBe("CN=one.example");
  });

  test("has no certificate to read if no port uses TLS", async () => {
    const files = await filesWith("tls = false");
    expect(await readCertificate(files)).toBeUndefined();
    await reloaderOf(files).reload();
    expect(certificates).toEqual([]);
    expect(reloadedParts()).toEqual(["tokens", "ignore rules"]);
  });

  test("leaves what a wrong file held before, logs it, and reads the other files", async () => {
    const reloader = reloaderOf(await withTls());
    write("tokens.txt", "a token without a comma\n");
    await reloader.reload();
    expect(tokens).toEqual([]);
    expect(certificates).toHaveLength(2);
    expect(log.lines.find(({ level }) => level === "error")).toMatchObject({
      message: "cannot reload; the previous content stays in use",
      fields: { part: "tokens" },
    });
    expect(reloadedParts()).toEqual(["certificate", "ignore rules"]);
  });

  test("hands over the [[ignore]] rules of the configuration file as it is now", async () => {
    const files = await filesWith("tls = false");
    writeConfig("tls = false", '[[ignore]]\nname = "own"\nnetworks = ["192.0.2.1"]\n');
    await reloaderOf(files).reload();
    expect(rules.map((read) => read.map(({ name }) => name))).toEqual([["own"]]);
  });

  test.each([
    [
      "a wrong rule",
      '[[ignore]]\nname = "own"\nnetworks = ["192.0.2.256"]\n',
      "config: ignore: table 1: networks",
    ],
    ["another wrong key", "[limits]\nper_sensor_rps = 'many'\n", "config: limits: per_sensor_rps"],
    ["no TOML", "[[ignore]\n", "line 5"],
  ])("leaves the old rules if the configuration file has %s, and logs it", async (_, text, error) => {
    const files = await filesWith("tls = false");
    writeConfig("tls = false", text);
    await reloaderOf(files).reload();
    expect(rules).toEqual([]);
    expect(reloadedParts()).toEqual(["tokens"]);
    expect(log.lines.find(({ level }) => level === "error")).toMatchObject({
      message: "cannot reload; the previous content stays in use",
      fields: { part: "ignore rules", error: expect.stringContaining(error) },
    });
  });

  test("reads no configuration file if there is none", async () => {
    const { readConfig: _, ...files } = await filesWith("tls = false");
    await reloaderOf(files).reload();
    expect(rules).toEqual([]);
    expect(reloadedParts()).toEqual(["tokens"]);
  });

  test("waits for the one before it", async () => {
    const hold = Promise.withResolvers<void>();
    let running = 0;
    let mostAtOnce = 0;
    const reloader = reloaderOf(await withTls(), async () => {
      running++;
      mostAtOnce = Math.max(mostAtOnce, running);
      await hold.promise;
      running--;
    });
    const reloads = [reloader.reload(), reloader.reload()];
    hold.resolve();
    await Promise.all(reloads);
    expect(mostAtOnce).toBe(1);
    expect(tokens).toHaveLength(2);
  });
});

test("a certificate that has expired is used, with a warning", async () => {
  const files = await withTls();
  await readCertificate(files);
  expect(log.lines).toEqual([]);
  const expiresAt = new Date(Math.floor(Date.now() / 1000 - 60) * 1000);
  writeCertificate("late.example", expiresAt);
  expect((await readCertificate(files))?.subject).toBe("CN=late.example");
  expect(log.lines).toEqual([
    {
      level: "warn",
      message: "the certificate has expired",
      fields: { expired: expiresAt.toISOString() },
    },
  ]);
});

test("a certificate that is not valid yet is used, with a warning", async () => {
  const files = await withTls();
  const hour = 3_600_000;
  const validFrom = new Date(Math.ceil(Date.now() / 1000) * 1000 + hour);
  writeCertificate("early.example", new Date(validFrom.getTime() + 2 * hour));
  expect((await readCertificate(files))?.subject).toBe("CN=early.example");
  expect(log.lines).toEqual([
    {
      level: "warn",
      message:
        "the certificate is not valid yet; clients refuse it until then, or the clock of this machine is wrong",
      fields: { valid_from: validFrom.toISOString() },
    },
  ]);
});

test("a certificate that no client can use is refused at the start; on a reload the old one stays", async () => {
  const files = await withTls();
  const { cert, key } = createCertificate(
    "short.example",
    undefined,
    undefined,
    generateKeyPairSync("rsa", { modulusLength: 512 }),
  );
  write("tls.crt", cert);
  write("tls.key", key);
  await expect(readCertificate(files)).rejects.toThrow("clients cannot connect with it");
  await reloaderOf(files).reload();
  expect(certificates).toEqual([]);
  expect(log.lines.find(({ level }) => level === "error")?.fields).toMatchObject({ part: "certificate" });
});

test("warnings about tokens are logged when they are read", async () => {
  const files = await filesWith("tls = false");
  expect((await readSensors(files)).map(({ sensorId }) => sensorId)).toEqual(["vps-1"]);
  expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    expect.stringMatching(/^warn .*tokens\.txt/),
  ]);
});
