import { describe, expect, test } from "bun:test";
import type { Config } from "../../server/config/config.ts";
import { ipAddressText } from "../../server/ip-address.ts";
import { allSections, parseConfig, valuesOf } from "./parse.ts";
import { refusal } from "./refusal.ts";

/** A file that sets one key, and plain HTTP if the key is not tls itself. */
function fileWith(section: string, line: string): string {
  const server = section === "server" ? "" : "[server]\ntls = false\n";
  return `${server}[${section}]\n${line}\n${section === "server" && !line.startsWith("tls") ? "tls = false\n" : ""}`;
}

interface KeyCase {
  readonly section: string;
  readonly key: string;
  /** Where the configuration has the value; left out for a key of a single output. */
  readonly value?: (config: Config) => unknown;
  readonly fallback: unknown;
  /** A value in TOML, and what it is read as. */
  readonly accepted: readonly (readonly [string, unknown])[];
  readonly refused: readonly string[];
}

const wrongForText = ["1", "1.5", "true", "[]", "{}", "2026-01-01", '["a"]'];
const wrongForNumber = ['"1"', "true", "[1]", "{}", "1.5", "1.0", "nan", "inf", "-inf", "1e3", "2026-01-01"];
const wrongForFlag = ['"true"', '"yes"', "1", "0", "[]", '""'];
const wrongForPath = [...wrongForText, '"a\\nb"', '"\\u0000"', `"${"a".repeat(4097)}"`];
const wrongForAddress = [
  ...wrongForText,
  '"8080"',
  '":"',
  '":http"',
  '":65536"',
  '":-1"',
  '": 80"',
  '"127.0.0.1"',
  '"::1:8080"',
  '"[::1]"',
  '"[127.0.0.1]:80"',
  '"[::1:80"',
  '"300.1.2.3:80"',
  '"-a.example:80"',
  '"a b:80"',
  '"http://a:80"',
  '"*:80"',
];
const addresses = [
  [":8080", undefined, 8080],
  [":0", undefined, 0],
  [":65535", undefined, 65535],
  ["127.0.0.1:8080", "127.0.0.1", 8080],
  ["0.0.0.0:8080", "0.0.0.0", 8080],
  ["[::1]:8080", "::1", 8080],
  ["[::]:8080", "::", 8080],
  ["localhost:8080", "localhost", 8080],
  ["loom-1.example.net:8080", "loom-1.example.net", 8080],
].map(([text, host, port]) => [`"${text}"`, { text, host, port }] as const);

function integers(min: number, max: number): Pick<KeyCase, "accepted" | "refused"> {
  return {
    accepted: [
      [`${min}`, min],
      [`${max}`, max],
    ],
    refused: [
      ...wrongForNumber,
      // 0 means "not set" where it is not an allowed value.
      ...(min === 1 ? ["-2"] : [`${min - 1}`]),
      `${max + 1}`,
      "-9223372036854775808",
      "99999999999999999999999",
    ],
  };
}

const wrongForUrl = ['"a.example/x"', '"ftp://a.example/x"', '"file:///x"', '"http://"', '"http://a b/"'];
const updateSources: Pick<KeyCase, "fallback" | "accepted" | "refused"> = {
  fallback: undefined,
  accepted: [
    ['"maxmind:GeoLite2-City"', { kind: "maxmind", edition: "GeoLite2-City" }],
    ['"dbip:city-lite"', { kind: "dbip", edition: "city-lite" }],
    ['"https://a.example/x.mmdb?token=1"', { kind: "url", url: "https://a.example/x.mmdb?token=1" }],
    ['"http://10.0.0.1:8000/x.tar.gz"', { kind: "url", url: "http://10.0.0.1:8000/x.tar.gz" }],
  ],
  refused: [
    ...wrongForText,
    ...wrongForUrl,
    '"maxmind:"',
    '"maxmind:../x"',
    '"dbip:city"',
    '"GeoLite2-City"',
    '"https://user:hunter2@a.example/x"',
  ],
};
const serverAddresses: Pick<KeyCase, "accepted" | "refused"> = {
  accepted: [
    ['"https://mirror.example"', "https://mirror.example"],
    ['"http://10.0.0.1:8000/mirror/"', "http://10.0.0.1:8000/mirror"],
  ],
  refused: [...wrongForText, ...wrongForUrl, '"https://a.example/?x"', '"https://user:hunter2@a.example"'],
};
const flags: Pick<KeyCase, "accepted" | "refused"> = {
  accepted: [
    ["true", true],
    ["false", false],
  ],
  refused: wrongForFlag,
};

function paths(isUnsetWhenEmpty: boolean): Pick<KeyCase, "accepted" | "refused"> {
  const unset = isUnsetWhenEmpty ? ([['""', undefined]] as const) : [];
  return {
    accepted: [['"/var/lib/ö x"', "/var/lib/ö x"], ['"a"', "a"], ...unset],
    refused: wrongForPath,
  };
}

const pathLists: Pick<KeyCase, "accepted" | "refused"> = {
  accepted: [...paths(true).accepted, ['["a"]', ["a"]], ['["b", "a"]', ["b", "a"]]],
  refused: [
    ...wrongForPath.filter((value) => value !== '["a"]'),
    '["a", "a"]',
    '["a", ""]',
    '["a", 1]',
    `[${Array.from({ length: 9 }, (_, i) => `"${i}"`)}]`,
  ],
};

const urls: Pick<KeyCase, "accepted" | "refused"> = {
  accepted: [
    ['"http://localhost:8123"', "http://localhost:8123"],
    ['"https://[::1]:9200/prefix/"', "https://[::1]:9200/prefix/"],
    ['""', undefined],
  ],
  refused: [
    ...wrongForText,
    '"localhost:8123"',
    '"ftp://localhost"',
    '"http://"',
    '"http:/a"',
    '"http://a b"',
    '"http://a:99999"',
    '"http://u@a"',
    '"http://:p@a"',
    '"http://a/?password=p"',
    '"http://a/#b"',
    `"http://${"a".repeat(2001)}"`,
  ],
};

const identifiers: Pick<KeyCase, "accepted" | "refused"> = {
  accepted: [
    ['"_a1"', "_a1"],
    ['"Loom_Events"', "Loom_Events"],
  ],
  refused: [
    ...wrongForText,
    '"1a"',
    '"a-b"',
    '"a.b"',
    '"a;b"',
    '"a`"',
    '"é"',
    '"a\\n"',
    `"${"a".repeat(201)}"`,
  ],
};

const users: Pick<KeyCase, "accepted" | "refused"> = {
  accepted: [
    ['"loom"', "loom"],
    ['""', undefined],
  ],
  refused: [...wrongForText, '"a:b"', '"a\\nb"', `"${"a".repeat(1025)}"`],
};

const passwords: Pick<KeyCase, "accepted" | "refused"> = {
  accepted: [
    ['"p:ä ß"', "p:ä ß"],
    ['""', undefined],
  ],
  refused: [...wrongForText, '"a\\nb"', `"${"a".repeat(4097)}"`],
};

const cases: readonly KeyCase[] = [
  {
    section: "server",
    key: "listen_address",
    value: (config) => config.server.listenAddress,
    fallback: { text: ":8443", host: undefined, port: 8443 },
    accepted: addresses,
    refused: wrongForAddress,
  },
  {
    section: "server",
    key: "tls",
    value: (config) => config.server.tls,
    fallback: undefined,
    accepted: [["false", undefined]],
    refused: wrongForFlag,
  },
  {
    section: "server",
    key: "cert_file",
    value: (config) => config.server.tls?.certFile,
    fallback: undefined,
    accepted: [['""', undefined]],
    refused: wrongForPath,
  },
  {
    section: "server",
    key: "key_file",
    value: (config) => config.server.tls?.keyFile,
    fallback: undefined,
    accepted: [['""', undefined]],
    refused: wrongForPath,
  },
  {
    section: "server",
    key: "tls_ciphers",
    fallback: undefined,
    accepted: [
      ['["AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256"]', ["AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256"]],
    ],
    refused: [
      "true",
      "1",
      '"AES128-SHA"',
      "[]",
      '["TLS_AES_128_GCM_SHA256"]',
      '["HIGH"]',
      '["aes128-sha"]',
      "[1]",
    ],
  },
  {
    section: "server",
    key: "management_listen_address",
    value: (config) => config.server.managementListenAddress,
    fallback: undefined,
    accepted: [...addresses, ['""', undefined]],
    refused: wrongForAddress,
  },
  {
    section: "server",
    key: "management_tls",
    value: (config) => config.server.managementTls,
    fallback: undefined,
    accepted: [["false", undefined]],
    refused: wrongForFlag,
  },
  {
    section: "server",
    key: "management_host_names",
    value: (config) => config.server.managementHostNames,
    fallback: [],
    accepted: [['["Loom.example.com", "my_host"]', ["loom.example.com", "my_host"]]],
    refused: [
      "true",
      "1",
      '"loom.example.com"',
      "[]",
      '["a:80"]',
      '["192.0.2.1"]',
      '["*.example.com"]',
      '[""]',
      "[1]",
    ],
  },
  {
    section: "server",
    key: "trusted_proxies",
    value: (config) =>
      config.server.trustedProxies.map(({ first, last }) => [first, last].map(ipAddressText).join("-")),
    fallback: [],
    accepted: [
      ['["10.0.0.0/8"]', ["10.0.0.0-10.255.255.255"]],
      ['["::1", "192.0.2.1"]', ["::1-::1", "192.0.2.1-192.0.2.1"]],
    ],
    refused: ["true", "1", '"10.0.0.0/8"', "[]", '["10.0.0.1/8"]', '["proxy.example.com"]', '[""]', "[1]"],
  },
  {
    section: "auth",
    key: "token_file",
    value: (config) => config.auth.tokenFile,
    fallback: undefined,
    ...paths(true),
  },
  {
    section: "limits",
    key: "max_body_size_bytes",
    value: (config) => config.limits.maxBodySizeBytes,
    fallback: 2097152,
    ...integers(1, 268435456),
  },
  {
    section: "limits",
    key: "max_events_per_batch",
    value: (config) => config.limits.maxEventsPerBatch,
    fallback: 500,
    ...integers(1, 100000),
  },
  {
    section: "limits",
    key: "max_event_size_bytes",
    value: (config) => config.limits.maxEventSizeBytes,
    fallback: 131072,
    ...integers(1, 2097152),
  },
  {
    section: "limits",
    key: "per_sensor_rps",
    value: (config) => config.limits.perSensorRps,
    fallback: 50,
    accepted: [
      ["1", 1],
      ["1000000", 1000000],
      ["-1", undefined],
    ],
    refused: [...wrongForNumber, "-2", "1000001"],
  },
  {
    section: "limits",
    key: "per_sensor_events_rps",
    value: (config) => config.limits.perSensorEventsRps,
    fallback: undefined,
    accepted: [
      ["1", 1],
      ["100000000", 100000000],
      ["0", undefined],
      ["-1", undefined],
    ],
    refused: [...wrongForNumber, "-2", "100000001"],
  },
  {
    section: "enrichment",
    key: "geoip_db_path",
    value: (config) => config.enrichment.geoipDbPath,
    fallback: undefined,
    ...pathLists,
  },
  {
    section: "enrichment",
    key: "asn_db_path",
    value: (config) => config.enrichment.asnDbPath,
    fallback: undefined,
    ...pathLists,
  },
  {
    section: "enrichment",
    key: "builtin_databases",
    value: (config) => config.enrichment.builtinDatabases,
    fallback: true,
    ...flags,
  },
  {
    section: "enrichment",
    key: "source_address_fields",
    value: (config) => config.enrichment.sourceAddressFields,
    fallback: ["source.ip", "source.address", "src_ip", "src_host", "client.ip"],
    accepted: [
      ['["src_ip"]', ["src_ip"]],
      ['"attacker.ip"', ["attacker.ip"]],
      ['["a.b.c.d.e.f.g.h", "@x-y"]', ["a.b.c.d.e.f.g.h", "@x-y"]],
      ['""', ["source.ip", "source.address", "src_ip", "src_host", "client.ip"]],
    ],
    refused: [
      "[]",
      '["a..b"]',
      '["src ip"]',
      '[""]',
      "7",
      '["x", "x"]',
      '["a.b.c.d.e.f.g.h.i"]',
      `["${"a".repeat(129)}"]`,
    ],
  },
  {
    section: "enrichment",
    key: "known_scanners",
    value: (config) => config.enrichment.knownScanners,
    fallback: true,
    ...flags,
  },
  {
    section: "enrichment.update",
    key: "geoip",
    ...updateSources,
  },
  {
    section: "enrichment.update",
    key: "asn",
    ...updateSources,
  },
  {
    section: "enrichment.update",
    key: "interval_hours",
    value: (config) => config.enrichment.update.intervalMs / 3_600_000,
    fallback: 24,
    ...integers(1, 168),
  },
  {
    section: "enrichment.update",
    key: "maxmind_url",
    value: (config) => config.enrichment.update.maxmindUrl,
    fallback: "https://download.maxmind.com",
    ...serverAddresses,
  },
  {
    section: "enrichment.update",
    key: "dbip_url",
    value: (config) => config.enrichment.update.dbipUrl,
    fallback: "https://download.db-ip.com/free",
    ...serverAddresses,
  },
  {
    section: "enrichment.dns",
    key: "enabled",
    value: (config) => config.enrichment.dns.enabled,
    fallback: false,
    ...flags,
  },
  {
    section: "enrichment.dns",
    key: "resolver_addr",
    value: (config) => config.enrichment.dns.resolverAddr,
    fallback: undefined,
    accepted: [
      ['"127.0.0.1:53"', "127.0.0.1:53"],
      ['"[::1]:5353"', "[::1]:5353"],
      ['""', undefined],
    ],
    refused: [...wrongForAddress, '":53"', '"localhost:53"', '"127.0.0.1:0"'],
  },
  {
    section: "enrichment.dns",
    key: "cache_ttl_seconds",
    value: (config) => config.enrichment.dns.cacheTtlSeconds,
    fallback: 300,
    ...integers(1, 604800),
  },
  {
    section: "enrichment.dns",
    key: "max_qps",
    value: (config) => config.enrichment.dns.maxQps,
    fallback: 10,
    ...integers(1, 10000),
  },
  {
    section: "enrichment.dns",
    key: "max_wait_ms",
    value: (config) => config.enrichment.dns.maxWaitMs,
    fallback: 300,
    ...integers(0, 5000),
  },
  {
    section: "output",
    key: "type",
    value: (config) => config.output.type,
    fallback: ["stdout"],
    accepted: [
      ['"stdout"', ["stdout"]],
      ['["stdout"]', ["stdout"]],
    ],
    refused: [
      ...["1", "true", "{}", "[]", "[1]", '"Stdout"', '"file"', '"__proto__"'],
      ...['["stdout", "file"]', '["stdout", "stdout"]', '[["stdout"]]'],
    ],
  },
  {
    section: "output",
    key: "store_dir",
    fallback: "/var/lib/loom/store",
    ...paths(false),
  },
  {
    section: "output",
    key: "store_max_bytes",
    fallback: undefined,
    ...integers(67108864, 17592186044416),
  },
  {
    section: "output",
    key: "store_max_days",
    fallback: 30,
    ...integers(1, 36500),
  },
  {
    section: "output",
    key: "clickhouse_url",
    fallback: undefined,
    ...urls,
  },
  {
    section: "output",
    key: "clickhouse_database",
    fallback: "default",
    ...identifiers,
  },
  {
    section: "output",
    key: "clickhouse_table",
    fallback: "loom_events",
    ...identifiers,
  },
  {
    section: "output",
    key: "clickhouse_user",
    fallback: undefined,
    ...users,
  },
  {
    section: "output",
    key: "clickhouse_password",
    fallback: undefined,
    ...passwords,
  },
  {
    section: "output",
    key: "clickhouse_create_table",
    fallback: false,
    ...flags,
  },
  {
    section: "output",
    key: "elasticsearch_url",
    fallback: undefined,
    accepted: [
      ['"http://localhost:9200"', ["http://localhost:9200"]],
      ['["http://a:9200", "https://b/prefix/"]', ["http://a:9200", "https://b/prefix/"]],
      ['""', undefined],
    ],
    refused: [
      ...urls.refused.filter((toml) => !toml.startsWith("[")),
      ...["[]", '["http://a", 1]', '["http://a", "http://a"]', '["http://u:p@a"]'],
    ],
  },
  {
    section: "output",
    key: "elasticsearch_index",
    fallback: undefined,
    accepted: [
      ['"loom-%Y.%m.%d"', "loom-%Y.%m.%d"],
      ['"a_b+c"', "a_b+c"],
      ['""', undefined],
    ],
    refused: [
      ...wrongForText,
      ...['"."', '".."', '"Loom"', '"-a"', '"_a"', '"+a"', '"a b"', '"a/b"', "'a\\b'", '"a*"', '"a?"'],
      ...[
        "'a\"'",
        '"a<"',
        '"a>"',
        '"a|"',
        '"a,b"',
        '"a#"',
        '"a:b"',
        '"a-%y"',
        '"a%"',
        `"${"ä".repeat(128)}"`,
      ],
    ],
  },
  {
    section: "output",
    key: "elasticsearch_user",
    fallback: undefined,
    ...users,
  },
  {
    section: "output",
    key: "elasticsearch_pass",
    fallback: undefined,
    ...passwords,
  },
  {
    section: "output",
    key: "elasticsearch_api_key",
    fallback: undefined,
    ...passwords,
  },
  {
    section: "output",
    key: "elasticsearch_ca_file",
    fallback: undefined,
    ...paths(true),
  },
  {
    section: "output",
    key: "elasticsearch_install_template",
    fallback: true,
    ...flags,
  },
  {
    section: "output",
    key: "kafka_brokers",
    fallback: undefined,
    accepted: [
      ['["localhost:9092", "kafka_2:9092", "[::1]:9092"]', ["localhost:9092", "kafka_2:9092", "[::1]:9092"]],
    ],
    refused: [
      '"localhost:9092"',
      "1",
      "[]",
      "[1]",
      "{}",
      '["a"]',
      '[":9092"]',
      '["a:0"]',
      '["a:1", "::1:1"]',
    ],
  },
  {
    section: "output",
    key: "kafka_topic",
    fallback: undefined,
    accepted: [['"loom.events_1-a"', "loom.events_1-a"]],
    refused: [...wrongForText, '"."', '".."', '"a b"', '"a/b"', `"${"a".repeat(250)}"`],
  },
  {
    section: "output.outbox",
    key: "enabled",
    value: (config) => config.output.outbox.enabled,
    fallback: true,
    ...flags,
  },
  {
    section: "output.outbox",
    key: "dir",
    value: (config) => config.output.outbox.dir,
    fallback: "/var/lib/loom/outbox",
    ...paths(false),
  },
  {
    section: "output.outbox",
    key: "max_bytes",
    value: (config) => config.output.outbox.maxBytes,
    fallback: 268435456,
    ...integers(65536, 17592186044416),
  },
  {
    section: "output.outbox",
    key: "on_full",
    value: (config) => config.output.outbox.onFull,
    fallback: "reject",
    accepted: [
      ['"reject"', "reject"],
      ['"drop_oldest"', "drop_oldest"],
    ],
    refused: [...wrongForText, '"drop"', '"Reject"'],
  },
  {
    section: "output.outbox",
    key: "flush_interval_ms",
    value: (config) => config.output.outbox.flushIntervalMs,
    fallback: 10000,
    ...integers(1, 3600000),
  },
  {
    section: "output.outbox",
    key: "max_batch_size",
    value: (config) => config.output.outbox.maxBatchSize,
    fallback: 10000,
    ...integers(1, 100000),
  },
  {
    section: "output.outbox",
    key: "retry_backoff_ms",
    value: (config) => config.output.outbox.retryBackoffMs,
    fallback: 1000,
    ...integers(1, 3600000),
  },
  {
    section: "output.outbox",
    key: "retry_max_backoff_ms",
    value: (config) => config.output.outbox.retryMaxBackoffMs,
    fallback: 30000,
    ...integers(1000, 86400000),
  },
  {
    section: "logging",
    key: "level",
    value: (config) => config.logging.level,
    fallback: "info",
    accepted: ["debug", "info", "warn", "error"].map((level) => [`"${level}"`, level] as const),
    refused: [...wrongForText, '"verbose"', '"constructor"'],
  },
  {
    section: "logging",
    key: "format",
    value: (config) => config.logging.format,
    fallback: "json",
    accepted: [
      ['"json"', "json"],
      ['"console"', "console"],
    ],
    refused: [...wrongForText, '"xml"', '"__proto__"'],
  },
  {
    section: "observability",
    key: "metrics_enabled",
    value: (config) => config.observability.metricsEnabled,
    fallback: true,
    ...flags,
  },
  {
    section: "dashboard",
    key: "quiet_after_seconds",
    value: (config) => config.dashboard.quietAfterSeconds,
    fallback: 120,
    ...integers(1, 86400),
  },
  {
    section: "dashboard",
    key: "state_dir",
    value: (config) => config.dashboard.stateDir,
    fallback: undefined,
    ...paths(true),
  },
  {
    section: "dashboard",
    key: "recent_events_bytes",
    value: (config) => config.dashboard.recentEventsBytes,
    fallback: 16777216,
    ...integers(1048576, 1073741824),
  },
  {
    section: "dashboard",
    key: "history",
    value: (config) => config.dashboard.history,
    fallback: undefined,
    accepted: [
      ['"store"', "store"],
      ['"clickhouse"', "clickhouse"],
      ['"off"', "off"],
    ],
    refused: [...wrongForText, '"elasticsearch"', '"Off"', '"__proto__"'],
  },
];

for (const { section, key, value, fallback, accepted, refused } of cases) {
  const read = (toml: string) =>
    value === undefined ? valuesOf(toml).values[section]?.[key] : value(parseConfig(toml, {}));

  describe(`[${section}] ${key}`, () => {
    test(`is ${JSON.stringify(fallback) ?? "unset"} by default`, () => {
      expect(read("[server]\ntls = false")).toEqual(fallback);
    });

    for (const [toml, expected] of accepted) {
      test(`${toml} is read as ${JSON.stringify(expected) ?? "unset"}`, () => {
        expect(read(fileWith(section, `${key} = ${toml}`))).toEqual(expected);
      });
    }

    for (const toml of refused) {
      test(`${toml.slice(0, 60)} is refused by an error that names the key`, () => {
        const message = refusal(() => parseConfig(fileWith(section, `${key} = ${toml}`), {}));
        expect(message).toStartWith(`config: ${section}: ${key} is `);
        expect(message).toMatch(/; allowed: ./);
      });
    }
  });
}

describe('0 and "" mean "not set", as in the Go program', () => {
  const unset = Object.entries(allSections).flatMap(([section, keys]) =>
    Object.entries(keys).flatMap(([key, { kind, fallback }]) =>
      kind.unset === undefined ? [] : [{ section, key, value: kind.unset === "" ? '""' : "0", fallback }],
    ),
  );

  test("for the keys that the Go program has", () => {
    const names = unset.map(({ section, key }) => `${section}.${key}`);
    for (const name of [
      "server.listen_address",
      "server.management_listen_address",
      "server.cert_file",
      "server.key_file",
      "auth.token_file",
      "limits.max_body_size_bytes",
      "limits.max_events_per_batch",
      "limits.max_event_size_bytes",
      "limits.per_sensor_rps",
      "limits.per_sensor_events_rps",
      "enrichment.geoip_db_path",
      "enrichment.asn_db_path",
      "enrichment.dns.resolver_addr",
      "enrichment.dns.cache_ttl_seconds",
      "enrichment.dns.max_qps",
      "output.type",
      "output.clickhouse_url",
      "output.clickhouse_user",
      "output.elasticsearch_url",
      "output.elasticsearch_user",
      "output.outbox.dir",
      "output.outbox.max_bytes",
      "output.outbox.flush_interval_ms",
      "output.outbox.max_batch_size",
      "output.outbox.retry_backoff_ms",
      "output.outbox.retry_max_backoff_ms",
      "logging.level",
      "logging.format",
    ])
      expect(names).toContain(name);
  });

  for (const { section, key, value, fallback } of unset)
    test(`[${section}] ${key} = ${value}`, () => {
      const read = valuesOf(fileWith(section, `${key} = ${value}`));
      expect(read.values[section]?.[key]).toEqual(fallback);
      expect(read.written.has(`${section}.${key}`)).toBe(false);
    });
});

test.each([
  ["warning", "warn"],
  ["WARN", "warn"],
  ["Information", "info"],
  ["trace", "debug"],
  ["err", "error"],
  ["fatal", "error"],
])('the level "%s" of other programs is read as "%s"', (written, level) => {
  expect(parseConfig(`[server]\ntls = false\n[logging]\nlevel = "${written}"`, {}).logging.level).toBe(
    level as never,
  );
});

test('the format "text" of other programs is read as "console"', () => {
  expect(parseConfig('[server]\ntls = false\n[logging]\nformat = "Text"', {}).logging.format).toBe("console");
});

test("-1 is the largest value of a limit that memory needs, and no limit for a rate", () => {
  const limits = ["max_body_size_bytes", "max_events_per_batch", "per_sensor_rps", "per_sensor_events_rps"];
  const toml = `[server]\ntls = false\n[limits]\n${limits.map((key) => `${key} = -1`).join("\n")}`;
  expect(parseConfig(toml, {}).limits).toMatchObject({
    maxBodySizeBytes: 268435456,
    maxEventsPerBatch: 100000,
    perSensorRps: undefined,
    perSensorEventsRps: undefined,
  });
});

for (const address of ["::1:8080", "::1", "2001:db8::1:65536"]) {
  test(`the error on "${address}" says that IPv6 needs brackets`, () => {
    const message = refusal(() => parseConfig(fileWith("server", `listen_address = "${address}"`), {}));
    expect(message).toBe(
      `config: server: listen_address is "${address}" (IPv6 needs brackets, as in "[::1]:8080"); allowed: ":port", "host:port" or "[IPv6]:port", with a port from 0 to 65535`,
    );
  });
}

test("these tests have every key of the table", () => {
  const known = Object.entries(allSections).flatMap(([section, keys]) =>
    Object.keys(keys).map((key) => `${section}.${key}`),
  );
  expect(cases.map(({ section, key }) => `${section}.${key}`)).toEqual(known);
});
