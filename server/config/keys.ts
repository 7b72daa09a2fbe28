import { brokerAddress, listenAddress, resolverAddress } from "./address-kinds.ts";
import { logLevels, onFullPolicies, outputTypes } from "./config.ts";
import { choice, flag, integer, type Kind, limit, listOf, oneOrMore, path } from "./kind.ts";
import { indexName, password, serverUrl, sqlIdentifier, topicName, user } from "./output-kinds.ts";

/** One key of the configuration file. */
export interface Key<T> {
  readonly kind: Kind<T>;
  /** What it is when the file does not say. */
  readonly fallback: T;
  /** The variable that wins over the file, unless empty. */
  readonly environment: string | undefined;
}

const kibi = 1024;
const mebi = 1024 * kibi;
const gibi = 1024 * mebi;
const hourMs = 3_600_000;

/**
 * Every section and key of `loom.toml`, once: name, what is allowed, default. Validation, the check for
 * unknown keys and the types of what is read all come from here. A dot makes a section within another.
 */
export const sections = {
  server: {
    listen_address: withDefault(listenAddress, { text: ":8443", host: undefined, port: 8443 }),
    tls: withDefault(flag, true),
    cert_file: optional(path),
    key_file: optional(path),
    management_listen_address: optional(listenAddress),
    management_tls: withDefault(flag, false),
  },
  auth: {
    token_file: optional(path),
  },
  limits: {
    max_body_size_bytes: withDefault(integer({ min: 1, max: 256 * mebi }), 2 * mebi),
    max_events_per_batch: withDefault(integer({ min: 1, max: 100_000 }), 500),
    max_event_size_bytes: withDefault(integer({ min: 1, max: 256 * mebi }), 128 * kibi),
    per_sensor_rps: withDefault(limit({ max: 1_000_000, off: [-1] }), 50),
    per_sensor_events_rps: optional(limit({ max: 100_000_000, off: [0, -1] })),
  },
  enrichment: {
    geoip_db_path: optional(path),
    asn_db_path: optional(path),
  },
  "enrichment.dns": {
    enabled: withDefault(flag, false),
    resolver_addr: optional(resolverAddress),
    cache_ttl_seconds: withDefault(integer({ min: 1, max: 604_800 }), 300),
    max_qps: withDefault(integer({ min: 1, max: 10_000 }), 10),
    max_wait_ms: withDefault(integer({ min: 0, max: 5_000 }), 300),
  },
  output: {
    type: withDefault(oneOrMore(choice(outputTypes), outputTypes.length), ["stdout"]),
    clickhouse_url: optional(serverUrl("clickhouse_user", "clickhouse_password")),
    clickhouse_database: withDefault(sqlIdentifier, "default"),
    clickhouse_table: withDefault(sqlIdentifier, "loom_events"),
    clickhouse_user: optional(user, "LOOM_CLICKHOUSE_USER"),
    clickhouse_password: optional(password, "LOOM_CLICKHOUSE_PASSWORD"),
    clickhouse_create_table: withDefault(flag, false),
    elasticsearch_url: optional(oneOrMore(serverUrl("elasticsearch_user", "elasticsearch_pass"), 16)),
    elasticsearch_index: withDefault(indexName, "loom-events"),
    elasticsearch_user: optional(user, "LOOM_ELASTICSEARCH_USER"),
    elasticsearch_pass: optional(password, "LOOM_ELASTICSEARCH_PASS"),
    elasticsearch_api_key: optional(password, "LOOM_ELASTICSEARCH_API_KEY"),
    elasticsearch_ca_file: optional(path),
    elasticsearch_install_template: withDefault(flag, true),
    kafka_brokers: optional(listOf(brokerAddress, 64)),
    kafka_topic: optional(topicName),
  },
  "output.outbox": {
    enabled: withDefault(flag, true),
    dir: withDefault(path, "/var/lib/loom/outbox"),
    max_bytes: withDefault(integer({ min: 64 * kibi, max: 16 * kibi * gibi }), 256 * mebi),
    on_full: withDefault(choice(onFullPolicies), "reject"),
    flush_interval_ms: withDefault(integer({ min: 1, max: hourMs }), 10_000),
    max_batch_size: withDefault(integer({ min: 1, max: 100_000 }), 10_000),
    retry_backoff_ms: withDefault(integer({ min: 1, max: hourMs }), 1_000),
    retry_max_backoff_ms: withDefault(integer({ min: 1, max: 24 * hourMs }), 30_000),
  },
  logging: {
    level: withDefault(choice(logLevels), "info"),
    format: withDefault(choice(["json", "console"]), "json"),
  },
  observability: {
    metrics_enabled: withDefault(flag, true),
  },
  dashboard: {
    quiet_after_seconds: withDefault(integer({ min: 1, max: 86_400 }), 120),
    recent_events_bytes: withDefault(integer({ min: mebi, max: gibi }), 16 * mebi),
  },
};

function withDefault<T>(kind: Kind<T>, fallback: NoInfer<T>): Key<T> {
  return { kind, fallback, environment: undefined };
}

function optional<T>(kind: Kind<T>, environment?: string): Key<T | undefined> {
  return { kind, fallback: undefined, environment };
}
