import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createCertificate } from "../support/certificate.ts";
import { maxTestMs, plainConfig, runExecutable, startExecutable } from "../support/executable.ts";
import { freePort } from "../support/free-port.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const { cert, key } = createCertificate("loom.example");
const files = { "tls.crt": cert, "tls.key": key };
const tlsConfig = plainConfig.replace("tls = false", 'cert_file = "tls.crt"\nkey_file = "tls.key"');
const consoleFormat = '\n[logging]\nformat = "console"\n';

describe("the log lines that operators search for", () => {
  test("json: plain HTTP and management", async () => {
    await using loom = await startExecutable();
    expect((await loom.logged("ingest server listening (no TLS)"))[0]).toMatchObject({
      level: "info",
      addr: `127.0.0.1:${loom.ingestPort}`,
    });
    expect((await loom.logged("management server listening"))[0]).toMatchObject({
      level: "info",
      addr: new URL(loom.managementUrl).host,
    });
  });

  test("json: TLS", async () => {
    await using loom = await startExecutable({ config: tlsConfig, files });
    expect((await loom.logged("ingest server listening (TLS)"))[0]?.addr).toBe(
      `127.0.0.1:${loom.ingestPort}`,
    );
  });

  test("console: plain HTTP and management", async () => {
    await using loom = runExecutable({ config: plainConfig + consoleFormat });
    await until("both lines", () => loom.stderrText().includes("started"));
    expect(loom.stderrText()).toMatch(/ingest server listening \(no TLS\) addr=127\.0\.0\.1:[1-9]\d*\n/);
    expect(loom.stderrText()).toMatch(/management server listening addr=127\.0\.0\.1:[1-9]\d*\n/);
  });

  test("console: TLS", async () => {
    await using loom = runExecutable({ config: tlsConfig + consoleFormat, files });
    await until("the start", () => loom.stderrText().includes("started"));
    expect(loom.stderrText()).toMatch(/ingest server listening \(TLS\) addr=127\.0\.0\.1:[1-9]\d*\n/);
  });

  test("an address is logged as it is configured", async () => {
    const port = freePort();
    const config = `[server]\ntls = false\nlisten_address = ":${port}"\n${consoleFormat}`;
    await using loom = runExecutable({ config });
    await until("the start", () => loom.stderrText().includes("started"));
    expect(loom.stderrText()).toContain(`ingest server listening (no TLS) addr=:${port}\n`);
  });
});

test("an address without a host accepts IPv4 and, if available, IPv6", async () => {
  const config = '[server]\ntls = false\nlisten_address = ":0"\n';
  await using loom = await startExecutable({ config });
  const addresses = ["127.0.0.1", ...(hasIpv6() ? ["[::1]"] : [])];
  for (const address of addresses)
    expect((await fetch(`http://${address}:${loom.ingestPort}/ingest`)).status).toBe(405);
});

test("the log contains no token and no event", async () => {
  await using loom = await startExecutable({ config: `${plainConfig}\n[logging]\nlevel = "debug"\n` });
  const headers = { authorization: "Bearer fixture-token", "content-type": "application/json" };
  await fetch(loom.ingestUrl, { method: "POST", headers, body: '[{"summary":"said by an attacker"}]' });
  await fetch(loom.ingestUrl, { method: "POST", headers, body: '[{"summary":"said by an attacker"' });
  await loom.logged("request refused");
  expect(loom.stderrText()).not.toMatch(/fixture-token|said by an attacker/);
});

function hasIpv6(): boolean {
  try {
    Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}
