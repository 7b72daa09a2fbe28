import { describe, expect, test } from "bun:test";
import type { Config } from "../../server/config/config.ts";
import { recommendedSuites } from "../../server/config/tls-suites.ts";
import { parseConfig } from "./parse.ts";
import { refusal } from "./refusal.ts";

const plain = "[server]\ntls = false\n";

describe("tls", () => {
  const missing = "config: server: tls enabled but cert_file or key_file missing";

  test("is off in an empty file, with a warning because others can reach the address", () => {
    const { server, warnings } = parseConfig("", {});
    expect(server.tls).toBeUndefined();
    expect(warnings).toEqual([
      "config: server: tls is off, because cert_file and key_file are not set: tokens and events can be read on their way to :8443; set the files, or tls = false to confirm it",
    ]);
  });

  test("that is not set is off without a warning if only this machine reaches the address", () => {
    const { server, warnings } = parseConfig('[server]\nlisten_address = "127.0.0.1:8080"', {});
    expect([server.tls, warnings]).toEqual([undefined, []]);
  });

  for (const [file, missingFile] of [
    ["cert_file", "key_file"],
    ["key_file", "cert_file"],
  ])
    test(`that is not set is off with ${file} alone, and the warning names ${missingFile}`, () => {
      const { server, warnings } = parseConfig(`[server]\n${file} = "a"`, {});
      expect(server.tls).toBeUndefined();
      expect(warnings[0]).toContain(`${missingFile} is not set`);
    });

  test("that is false causes no warning", () => {
    expect(parseConfig(plain, {}).warnings).toEqual([]);
  });

  test("needs key_file too", () => {
    expect(refusal(() => parseConfig('[server]\ntls = true\ncert_file = "a"', {}))).toBe(missing);
  });

  test("needs cert_file too", () => {
    expect(refusal(() => parseConfig('[server]\ntls = true\nkey_file = "a"', {}))).toBe(missing);
  });

  test("counts an empty path as not set", () => {
    expect(refusal(() => parseConfig('[server]\ntls = true\ncert_file = ""\nkey_file = ""', {}))).toBe(
      missing,
    );
  });

  test("is on with both files, and does not open them", () => {
    const config = parseConfig('[server]\ncert_file = "/no/a.crt"\nkey_file = "/no/a.key"', {});
    expect(config.server.tls).toEqual({
      certFile: "/no/a.crt",
      keyFile: "/no/a.key",
      ciphers: recommendedSuites,
    });
  });

  test("can be off even if files are named", () => {
    expect(parseConfig(`${plain}cert_file = "a"\nkey_file = "b"`, {}).server.tls).toBeUndefined();
  });
});

describe("management_tls", () => {
  const missing = "config: server: management_tls enabled but cert_file or key_file missing";
  const files = 'cert_file = "/no/a.crt"\nkey_file = "/no/a.key"\n';

  for (const [given, toml] of [
    ["no file", ""],
    ["cert_file alone", 'cert_file = "a"\n'],
    ["key_file alone", 'key_file = "a"\n'],
  ] as const)
    test(`with ${given} is refused, even if ingest does not use TLS`, () => {
      expect(refusal(() => parseConfig(`${plain}management_tls = true\n${toml}`, {}))).toBe(missing);
    });

  test("uses the files of ingest", () => {
    const { server } = parseConfig(`[server]\nmanagement_tls = true\n${files}`, {});
    expect(server.managementTls).toEqual({
      certFile: "/no/a.crt",
      keyFile: "/no/a.key",
      ciphers: recommendedSuites,
    });
    expect(server.tls).toEqual(server.managementTls);
  });

  test("can be on without TLS for ingest", () => {
    const { server } = parseConfig(`${plain}management_tls = true\n${files}`, {});
    expect([server.tls, server.managementTls?.certFile]).toEqual([undefined, "/no/a.crt"]);
  });

  test("is off by default, even if files are named", () => {
    expect(parseConfig(`[server]\n${files}`, {}).server.managementTls).toBeUndefined();
  });
});

describe("the management address", () => {
  function configure(ingest: string, management: string): Config {
    return parseConfig(
      `${plain}listen_address = "${ingest}"\nmanagement_listen_address = "${management}"`,
      {},
    );
  }

  for (const [ingest, management] of [
    [":8080", ":8080"],
    ["127.0.0.1:8080", "127.0.0.1:8080"],
    ["Localhost:8080", "localhost:8080"],
    [":8080", "127.0.0.1:8080"],
    ["[::1]:8080", "0.0.0.0:8080"],
    ["[::]:8080", "127.0.0.1:8080"],
  ] as const) {
    test(`${management} is refused if ingest listens on ${ingest}`, () => {
      expect(refusal(() => configure(ingest, management))).toBe(
        `config: server: management_listen_address is "${management}", which listen_address "${ingest}" already uses; allowed: another port`,
      );
    });
  }

  for (const [ingest, management] of [
    [":8080", ":9080"],
    [":0", ":0"],
    ["127.0.0.1:8080", "127.0.0.2:8080"],
  ] as const) {
    test(`${management} is allowed if ingest listens on ${ingest}`, () => {
      expect(configure(ingest, management).server.managementListenAddress?.text).toBe(management);
    });
  }

  test("must not be the default address of ingest either", () => {
    expect(refusal(() => parseConfig(`${plain}management_listen_address = ":8443"`, {}))).toContain(
      'which listen_address ":8443" already uses',
    );
  });
});

describe("limits", () => {
  test("a limit of events above the limit of bodies is refused", () => {
    const toml = `${plain}[limits]\nmax_body_size_bytes = 1000\nmax_event_size_bytes = 1001`;
    expect(refusal(() => parseConfig(toml, {}))).toBe(
      "config: limits: max_event_size_bytes is 1001; allowed: at most max_body_size_bytes, 1000",
    );
  });

  test("both limits may be equal", () => {
    const toml = `${plain}[limits]\nmax_body_size_bytes = 1000\nmax_event_size_bytes = 1000`;
    expect(parseConfig(toml, {}).limits.maxEventSizeBytes).toBe(1000);
  });

  test("the default limit of events follows a smaller limit of bodies", () => {
    const toml = `${plain}[limits]\nmax_body_size_bytes = 1000`;
    expect(parseConfig(toml, {}).limits.maxEventSizeBytes).toBe(1000);
  });
});

describe("the outbox", () => {
  test("a longest pause that is shorter than the first one is refused", () => {
    const toml = `${plain}[output.outbox]\nretry_backoff_ms = 500\nretry_max_backoff_ms = 499`;
    expect(refusal(() => parseConfig(toml, {}))).toBe(
      "config: output.outbox: retry_max_backoff_ms is 499; allowed: at least retry_backoff_ms, 500",
    );
  });

  test("the default of the longest pause follows a longer first one", () => {
    const toml = `${plain}[output.outbox]\nretry_backoff_ms = 60000`;
    expect(parseConfig(toml, {}).output.outbox.retryMaxBackoffMs).toBe(60000);
  });
});

describe("output.type", () => {
  test("the error on an unknown output lists the allowed ones", () => {
    expect(refusal(() => parseConfig(`${plain}[output]\ntype = "file"`, {}))).toBe(
      'config: output: type is "file"; allowed: one, or a list, of "stdout", "store", "clickhouse", "elasticsearch", "kafka"',
    );
  });

  for (const [type, settings, missing] of [
    ["clickhouse", "", "clickhouse_url"],
    ["clickhouse", 'clickhouse_url = ""', "clickhouse_url"],
    ["elasticsearch", "", "elasticsearch_url"],
    ["kafka", 'kafka_topic = "a"', "kafka_brokers"],
    ["kafka", 'kafka_brokers = ["a:1"]', "kafka_topic"],
  ] as const) {
    test(`"${type}" with ${settings || "nothing more"} is refused because ${missing} is missing`, () => {
      expect(refusal(() => parseConfig(`${plain}[output]\ntype = "${type}"\n${settings}`, {}))).toBe(
        `config: output: ${missing} is missing; type = "${type}" needs it`,
      );
    });
  }

  for (const [type, settings] of [
    ["stdout", ""],
    ["clickhouse", 'clickhouse_url = "http://localhost:8123"'],
    ["elasticsearch", 'elasticsearch_url = "https://localhost:9200"'],
    ["kafka", 'kafka_brokers = ["a:1"]\nkafka_topic = "a"'],
  ] as const) {
    test(`"${type}" is allowed with its required keys`, () => {
      expect(parseConfig(`${plain}[output]\ntype = "${type}"\n${settings}`, {}).output.type).toEqual([type]);
    });
  }

  test("several are allowed, each with its required keys", () => {
    const toml = `${plain}[output]\ntype = ["stdout", "clickhouse"]\n`;
    expect(refusal(() => parseConfig(toml, {}))).toBe(
      'config: output: clickhouse_url is missing; type = "clickhouse" needs it',
    );
    const whole = parseConfig(`${toml}clickhouse_url = "http://localhost:8123"`, {});
    expect(whole.output.type).toEqual(["stdout", "clickhouse"]);
  });

  test("an output other than stdout uses the outbox even if it is disabled, with a warning", () => {
    const toml = (type: string) =>
      `${plain}[output]\ntype = "${type}"\nclickhouse_url = "http://localhost:8123"\n[output.outbox]\nenabled = false`;
    expect(parseConfig(toml("clickhouse"), {}).warnings).toEqual([
      'config: output.outbox: enabled is false and has no effect: the output "clickhouse" uses the outbox, because a batch that is answered 204 is on disk',
    ]);
    expect(parseConfig(toml("stdout"), {}).warnings).toEqual([]);
  });
});

describe("trusted_proxies", () => {
  const withProxies = (list: string) => parseConfig(`${plain}trusted_proxies = ${list}`, {});

  test("the error on an address with bits behind the prefix names the network", () => {
    expect(refusal(() => withProxies('["::1", "10.1.2.3/8"]'))).toBe(
      'config: server: trusted_proxies is a list (item "10.1.2.3/8": the address has bits set behind the prefix; the network is 10.0.0.0/8); allowed: a list of 1 to 256 strings, each an IP address, or a network such as "10.0.0.0/8" or "2001:db8::/32"',
    );
  });

  test.each(["0.0.0.0/0", "::/0", "::ffff:0:0/96"])("%s causes a warning", (network) => {
    expect(withProxies(`["10.0.0.0/8", "${network}"]`).warnings).toEqual([
      expect.stringMatching(/^config: server: trusted_proxies contains every address/),
    ]);
  });

  test("a smaller network causes none", () => {
    expect(withProxies('["0.0.0.0/1", "::/1"]').warnings).toEqual([]);
  });
});

describe("[auth.tokens]", () => {
  const withTokens = (lines: string) => `${plain}[auth.tokens]\n${lines}`;

  test("has tokens as keys and sensor ids as values, and causes a warning that shows no token", () => {
    const { auth, warnings } = parseConfig(withTokens('"s3cret" = "vps-1"\n"oth.er" = "vps-2"'), {});
    expect(auth.sensors).toMatchObject([
      { token: "s3cret", sensorId: "vps-1" },
      { token: "oth.er", sensorId: "vps-2" },
    ]);
    expect(warnings).toEqual([
      "config: auth.tokens: tokens in the configuration file can be read by everybody who can read the file; token_file or LOOM_SENSOR_<id> is safer",
    ]);
  });

  for (const [what, lines] of [
    ["a number as the id", '"s3cret" = 1'],
    ["an empty id", '"s3cret" = ""'],
    ["a blank in the token", '"s3cret x" = "vps-1"'],
    ["the reserved id", '"s3cret" = "unknown"'],
  ])
    test(`with ${what} is refused, and the error does not show the token`, () => {
      const message = refusal(() => parseConfig(withTokens(lines ?? ""), {}));
      expect(message).toStartWith("auth: entry 1 of [auth.tokens]: ");
      expect(message).not.toContain("s3cret");
    });

  test("that is not a section is refused", () => {
    expect(refusal(() => parseConfig(`${plain}[auth]\ntokens = "a"`, {}))).toBe(
      "config: auth: tokens is not a section; allowed: [auth.tokens]",
    );
  });

  test("does not hide an unknown key beside it", () => {
    expect(
      refusal(() => parseConfig(`${plain}[auth]\ntoken_fil = "a"\n[auth.tokens]\n"a" = "b"`, {})),
    ).toContain('did you mean "token_file"?');
  });
});
