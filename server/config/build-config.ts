import { isSameAddress } from "./address-kinds.ts";
import type { Config, ManagementTokens, OutputType, TlsFiles } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import type { ReadValues, Values } from "./read-values.ts";

/**
 * Checks what depends on several keys at once, and gives every value its place. The result is frozen, deeply.
 * @throws ConfigError when keys contradict each other or one is missing that another needs
 */
export function buildConfig(read: ReadValues, management: ManagementTokens): Config {
  const { server, auth, enrichment, output, logging, observability, dashboard } = read.values;
  const dns = read.values["enrichment.dns"];
  const config: Config = {
    server: {
      listenAddress: server.listen_address,
      tls: buildTls("tls", server),
      managementListenAddress: server.management_listen_address,
      managementTls: buildTls("management_tls", server),
    },
    management,
    auth: { tokenFile: auth.token_file },
    limits: buildLimits(read),
    enrichment: {
      geoipDbPath: enrichment.geoip_db_path,
      asnDbPath: enrichment.asn_db_path,
      dns: {
        isEnabled: dns.enabled,
        resolverAddr: dns.resolver_addr,
        cacheTtlSeconds: dns.cache_ttl_seconds,
        maxQps: dns.max_qps,
        maxWaitMs: dns.max_wait_ms,
      },
    },
    output: {
      types: output.type,
      clickhouse: {
        url: output.clickhouse_url ?? "",
        database: output.clickhouse_database,
        table: output.clickhouse_table,
        user: output.clickhouse_user,
        password: output.clickhouse_password,
        isTableCreated: output.clickhouse_create_table,
      },
      elasticsearch: {
        urls: output.elasticsearch_url ?? [],
        index: output.elasticsearch_index,
        user: output.elasticsearch_user,
        password: output.elasticsearch_pass,
        apiKey: output.elasticsearch_api_key,
        caFile: output.elasticsearch_ca_file,
        isTemplateInstalled: output.elasticsearch_install_template,
      },
      kafka: { brokers: output.kafka_brokers ?? [], topic: output.kafka_topic ?? "" },
      outbox: buildOutbox(read),
    },
    logging: { level: logging.level, format: logging.format },
    observability: { isMetricsEnabled: observability.metrics_enabled },
    dashboard: {
      quietAfterSeconds: dashboard.quiet_after_seconds,
      recentEventsBytes: dashboard.recent_events_bytes,
    },
  };
  assertDistinctAddresses(server);
  assertOutputIsComplete(output, read.values["output.outbox"].enabled);
  return freezeDeeply(config);
}

function buildTls(key: "tls" | "management_tls", server: Values["server"]): TlsFiles | undefined {
  if (!server[key]) return undefined;
  if (server.cert_file === undefined || server.key_file === undefined) {
    throw new ConfigError(`config: server: ${key} enabled but cert_file or key_file missing`);
  }
  return { certFile: server.cert_file, keyFile: server.key_file };
}

function assertDistinctAddresses(server: Values["server"]): void {
  const management = server.management_listen_address;
  if (management === undefined || !isSameAddress(server.listen_address, management)) return;
  throw new ConfigError(
    `config: server: management_listen_address is "${management.text}", which listen_address "${server.listen_address.text}" already takes; allowed: another port`,
  );
}

function buildLimits({ values: { limits }, written }: ReadValues): Config["limits"] {
  const maxBodySizeBytes = limits.max_body_size_bytes;
  if (written.has("limits.max_event_size_bytes") && limits.max_event_size_bytes > maxBodySizeBytes) {
    throw new ConfigError(
      `config: limits: max_event_size_bytes is ${limits.max_event_size_bytes}; allowed: at most max_body_size_bytes, ${maxBodySizeBytes}`,
    );
  }
  return {
    maxBodySizeBytes,
    maxEventsPerBatch: limits.max_events_per_batch,
    // A file that only lowers the body's limit is right: the default gives way.
    maxEventSizeBytes: Math.min(limits.max_event_size_bytes, maxBodySizeBytes),
    perSensorRps: limits.per_sensor_rps,
    perSensorEventsRps: limits.per_sensor_events_rps,
  };
}

function buildOutbox({ values, written }: ReadValues): Config["output"]["outbox"] {
  const outbox = values["output.outbox"];
  const retryBackoffMs = outbox.retry_backoff_ms;
  if (written.has("output.outbox.retry_max_backoff_ms") && outbox.retry_max_backoff_ms < retryBackoffMs) {
    throw new ConfigError(
      `config: output.outbox: retry_max_backoff_ms is ${outbox.retry_max_backoff_ms}; allowed: at least retry_backoff_ms, ${retryBackoffMs}`,
    );
  }
  return {
    isEnabled: outbox.enabled,
    dir: outbox.dir,
    maxBytes: outbox.max_bytes,
    onFull: outbox.on_full,
    flushIntervalMs: outbox.flush_interval_ms,
    maxBatchSize: outbox.max_batch_size,
    retryBackoffMs,
    // As above: the default gives way to the key that is written.
    retryMaxBackoffMs: Math.max(outbox.retry_max_backoff_ms, retryBackoffMs),
  };
}

const neededKeys = {
  stdout: [],
  clickhouse: ["clickhouse_url"],
  elasticsearch: ["elasticsearch_url"],
  kafka: ["kafka_brokers", "kafka_topic"],
} as const satisfies Record<OutputType, readonly (keyof Values["output"])[]>;

function assertOutputIsComplete(output: Values["output"], isOutboxEnabled: boolean): void {
  for (const type of output.type) {
    for (const key of neededKeys[type]) {
      if (output[key] !== undefined) continue;
      throw new ConfigError(`config: output: ${key} is missing; type = "${type}" needs it`);
    }
    if (type !== "stdout" && !isOutboxEnabled) {
      throw new ConfigError(
        `config: output.outbox: enabled is false; type = "${type}" needs it, because 204 means on disk`,
      );
    }
  }
}

function freezeDeeply<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) freezeDeeply(inner);
  }
  return Object.freeze(value);
}
