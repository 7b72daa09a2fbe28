import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createCertificate } from "../support/certificate.ts";
import { maxTestMs, plainConfig, runToEnd, type StartOptions } from "../support/executable.ts";

setDefaultTimeout(maxTestMs);

const tlsConfig = `
[server]
listen_address = "127.0.0.1:0"
cert_file = "tls.crt"
key_file = "tls.key"
`;
const own = createCertificate("own");
const other = createCertificate("other");

/** Ends with status 1, one line on stderr and nothing on stdout. */
async function expectFailure(options: StartOptions, error: string | RegExp): Promise<void> {
  const { status, stdout, stderr } = await runToEnd(options);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/^[^\n]+\n$/);
  if (typeof error === "string") expect(stderr).toBe(`${error}\n`);
  else expect(stderr).toMatch(error);
}

describe("a wrong configuration stops the start with one line on stderr", () => {
  const cases: [title: string, config: string | undefined, error: string | RegExp][] = [
    ["missing", undefined, /^config: cannot read loom\.toml: no such file/],
    ["not TOML", "[server", /^config: loom\.toml: line 1, column \d+: /],
    ["an unknown key", `${plainConfig}tsl = true\n`, /^config: .*tsl.*tls/],
    ["a wrong value", '[server]\nlisten_address = "8080"\n', /^config: .*listen_address/],
    [
      "TLS without files",
      "[server]\ntls = true\n",
      "config: server: tls enabled but cert_file or key_file missing",
    ],
  ];
  for (const [title, config, error] of cases) test(title, () => expectFailure({ config }, error));
});

test("no token at all is an error that says how to set one", () =>
  expectFailure(
    { config: plainConfig, environment: {} },
    "auth: no tokens configured (set LOOM_SENSOR_<id> or auth.token_file)",
  ));

test("a token that two sensors share is not shown in the error", async () => {
  const environment = { LOOM_SENSOR_a: "shared-secret", LOOM_SENSOR_b: "shared-secret" };
  const { status, stderr } = await runToEnd({ config: plainConfig, environment });
  expect(status).toBe(1);
  expect(stderr).not.toContain("shared-secret");
});

test("a database that is missing is named", () =>
  expectFailure(
    { config: `${plainConfig}[enrichment]\ngeoip_db_path = "none.mmdb"\n` },
    /^enrichment: geoip_db_path: .*none\.mmdb/,
  ));

describe("certificate and key", () => {
  const cases: [title: string, files: Record<string, string>, error: RegExp][] = [
    ["a missing certificate", { "tls.key": own.key }, /cannot read cert_file tls\.crt: no such file/],
    ["a missing key", { "tls.crt": own.cert }, /cannot read key_file tls\.key: no such file/],
    [
      "a certificate that is none",
      { "tls.crt": "garbage", "tls.key": own.key },
      /cert_file tls\.crt does not hold/,
    ],
    ["a key that is none", { "tls.crt": own.cert, "tls.key": "garbage" }, /key_file tls\.key does not hold/],
    ["empty files", { "tls.crt": "", "tls.key": "" }, /cert_file tls\.crt does not hold/],
    [
      "a key of another certificate",
      { "tls.crt": own.cert, "tls.key": other.key },
      /key_file tls\.key does not belong to cert_file tls\.crt/,
    ],
  ];
  for (const [title, files, error] of cases)
    test(`${title} stops the start`, () => expectFailure({ config: tlsConfig, files }, error));

  test("swapped files stop the start, and the error does not show the key", async () => {
    const { status, stderr } = await runToEnd({
      config: tlsConfig,
      files: { "tls.crt": own.key, "tls.key": own.cert },
    });
    expect(status).toBe(1);
    expect(stderr).not.toContain(own.key.split("\n")[1] ?? "");
  });
});

describe("a port in use is an error that names the port and the server", () => {
  async function expectInUse(name: string, config: (address: string) => string, files = {}): Promise<void> {
    const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    try {
      const address = `127.0.0.1:${other.port}`;
      await expectFailure(
        { config: config(address), files },
        `${name}: cannot listen on ${address}: the port is in use by another program`,
      );
    } finally {
      other.stop(true);
    }
  }

  test("ingest", () =>
    expectInUse("ingest", (address) => `[server]\ntls = false\nlisten_address = "${address}"\n`));

  test("ingest with TLS", () =>
    expectInUse("ingest", (address) => tlsConfig.replace("127.0.0.1:0", address), {
      "tls.crt": own.cert,
      "tls.key": own.key,
    }));

  test("management", () =>
    expectInUse("management", (address) =>
      plainConfig.replace(/(management_listen_address = ).*/, `$1"${address}"`),
    ));
});

test("an address that no interface has is an error", () =>
  expectFailure(
    { config: '[server]\ntls = false\nlisten_address = "192.0.2.1:0"\n' },
    "ingest: cannot listen on 192.0.2.1:0: no interface of this machine has that address",
  ));

test("an output that does not exist is an error that lists the existing ones", () =>
  expectFailure(
    {
      config: `${plainConfig}[output]\ntype = "kafka"\nkafka_brokers = ["127.0.0.1:1"]\nkafka_topic = "a"\n[output.outbox]\ndir = "outbox"\n`,
    },
    'config: output: type "kafka" is not implemented; this version has "stdout", "store", "clickhouse" and "elasticsearch"',
  ));
