import { describe, expect, test } from "bun:test";
import { parseConfig } from "./parse.ts";

/** Configurations that the Go program runs with. Each has to be read, and to mean the same. */

const goExample = `
[server]
listen_address = ":8443"
tls = true
cert_file = "/etc/loom/tls.crt"
key_file = "/etc/loom/tls.key"
management_listen_address = ":9080"
[auth]
token_file = "/etc/loom/tokens.txt"
[limits]
max_body_size_bytes = 2097152
max_events_per_batch = 500
max_event_size_bytes = 131072
per_sensor_rps = 50
per_sensor_events_rps = 0
[enrichment]
geoip_db_path = "/var/lib/loom/GeoLite2-City.mmdb"
asn_db_path = "/var/lib/loom/GeoLite2-ASN.mmdb"
[enrichment.dns]
enabled = false
resolver_addr = "127.0.0.1:53"
cache_ttl_seconds = 300
max_qps = 10
[output]
type = "clickhouse"
clickhouse_url = "http://localhost:8123"
clickhouse_database = "default"
clickhouse_table = "loom_events"
elasticsearch_url = "https://localhost:9200"
elasticsearch_index = "loom-events"
kafka_brokers = ["localhost:9092"]
kafka_topic = "loom-events"
[output.outbox]
enabled = true
dir = "/var/lib/loom/outbox"
max_bytes = 268435456
flush_interval_ms = 10000
max_batch_size = 100
retry_backoff_ms = 1000
retry_max_backoff_ms = 30000
[logging]
level = "info"
format = "json"
[observability]
metrics_enabled = true
`;

test("the whole example of the Go program means what it says", () => {
  const config = parseConfig(goExample, {});
  expect(config.server.tls).toMatchObject({ certFile: "/etc/loom/tls.crt", keyFile: "/etc/loom/tls.key" });
  expect(config.limits).toEqual({
    maxBodySizeBytes: 2097152,
    maxEventsPerBatch: 500,
    maxEventSizeBytes: 131072,
    perSensorRps: 50,
    perSensorEventsRps: undefined,
  });
  expect(config.output.type).toEqual(["clickhouse"]);
  expect(config.output.outbox).toMatchObject({ dir: "/var/lib/loom/outbox", maxBatchSize: 100 });
  expect(config.warnings).toEqual([]);
});

test("the example with every number 0 and every text empty has the defaults of an empty file", () => {
  const emptied = goExample
    .replace(/^(\w+) = \d+$/gm, "$1 = 0")
    .replace(/^(?!tls|enabled|metrics_enabled|kafka_brokers)(\w+) = "[^"]*"$/gm, '$1 = ""')
    .replace("tls = true\n", "")
    .replace(/^kafka_brokers.*\n/m, "");
  const config = parseConfig(emptied, {});
  const empty = parseConfig("", {});
  expect(config.limits).toEqual(empty.limits);
  expect(config.enrichment).toEqual(empty.enrichment);
  expect(config.logging).toEqual(empty.logging);
  expect(config.server).toEqual(empty.server);
  expect(config.output.outbox).toEqual(empty.output.outbox);
  expect(config.output.type).toEqual(["stdout"]);
});

describe("short configurations", () => {
  test.each([
    ["nothing but a port", '[server]\nlisten_address = ":8080"', ["tls is off"]],
    ["plain HTTP with an empty certificate", '[server]\ntls = false\ncert_file = ""', []],
    ["tokens in the file", '[server]\ntls = false\n[auth.tokens]\n"secret-1" = "spip-001"', ["auth.tokens"]],
    ["no limit of requests", "[server]\ntls = false\n[limits]\nper_sensor_rps = -1", []],
    ["no limit of events", "[server]\ntls = false\n[limits]\nper_sensor_events_rps = -1", []],
    [
      "ClickHouse without an outbox",
      '[server]\ntls = false\n[output]\ntype = "clickhouse"\nclickhouse_url = "http://c:8123"\n[output.outbox]\nenabled = false',
      ["enabled is false and has no effect"],
    ],
    [
      "Elasticsearch with an empty user",
      '[server]\ntls = false\n[output]\ntype = "elasticsearch"\nelasticsearch_url = "http://e:9200"\nelasticsearch_user = ""',
      [],
    ],
    ["the level warning", '[server]\ntls = false\n[logging]\nlevel = "warning"', []],
    ["DNS with zeros", "[server]\ntls = false\n[enrichment.dns]\nenabled = true\nmax_qps = 0", []],
  ])("%s", (_what, toml, expectedWarnings) => {
    const { warnings } = parseConfig(toml, {});
    expect(warnings).toHaveLength(expectedWarnings.length);
    for (const [index, part] of expectedWarnings.entries()) expect(warnings[index]).toContain(part);
  });
});
