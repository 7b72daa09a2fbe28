/** An address to listen on. `host` undefined means every interface, IPv4 and IPv6. */
export interface ListenAddress {
  /** As the operator wrote it, for logs: ":8443", "127.0.0.1:8080", "[::1]:8080". */
  readonly text: string;
  readonly host: string | undefined;
  readonly port: number;
}

export const outputTypes = ["stdout", "clickhouse", "elasticsearch", "kafka"] as const;
export type OutputType = (typeof outputTypes)[number];

export const onFullPolicies = ["reject", "drop_oldest"] as const;
/** What a full outbox does: refuse new batches, or drop the oldest events. */
export type OnFull = (typeof onFullPolicies)[number];

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LimitsConfig {
  readonly maxBodySizeBytes: number;
  readonly maxEventsPerBatch: number;
  readonly maxEventSizeBytes: number;
  /** Requests a second per sensor; undefined: no limit. */
  readonly perSensorRps: number | undefined;
  /** Events a second per sensor; undefined: no limit. */
  readonly perSensorEventsRps: number | undefined;
}

export interface DnsConfig {
  readonly isEnabled: boolean;
  /** "host:port"; undefined: the system's resolvers. */
  readonly resolverAddr: string | undefined;
  readonly cacheTtlSeconds: number;
  readonly maxQps: number;
  /** How long a batch waits for names at most. */
  readonly maxWaitMs: number;
}

export interface EnrichmentConfig {
  readonly geoipDbPath: string | undefined;
  readonly asnDbPath: string | undefined;
  readonly dns: DnsConfig;
}

export interface OutboxConfig {
  readonly isEnabled: boolean;
  readonly dir: string;
  readonly maxBytes: number;
  readonly onFull: OnFull;
  readonly flushIntervalMs: number;
  readonly maxBatchSize: number;
  readonly retryBackoffMs: number;
  readonly retryMaxBackoffMs: number;
}

/** A certificate and its key, in PEM. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Who may use the management port. Secrets: they come from the environment alone. */
export interface ManagementTokens {
  /** undefined: the log shows a sign-in link instead. */
  readonly adminToken: string | undefined;
  /** undefined: `/metrics` is open. */
  readonly metricsToken: string | undefined;
}

/** Everything the configuration file and the environment say, checked and complete; frozen. */
export interface Config {
  readonly server: {
    readonly listenAddress: ListenAddress;
    /** undefined: plain HTTP. */
    readonly tls: TlsFiles | undefined;
    /** undefined: no management port. */
    readonly managementListenAddress: ListenAddress | undefined;
    /** undefined: plain HTTP on the management port. */
    readonly managementTls: TlsFiles | undefined;
  };
  readonly management: ManagementTokens;
  readonly auth: { readonly tokenFile: string | undefined };
  readonly limits: LimitsConfig;
  readonly enrichment: EnrichmentConfig;
  readonly output: {
    /** Without doubles, in the order written. */
    readonly types: readonly OutputType[];
    readonly clickhouse: {
      /** "" when unset, which is only allowed for another output type. */
      readonly url: string;
      readonly database: string;
      readonly table: string;
      readonly user: string | undefined;
      readonly password: string | undefined;
      /** Make the table where it is missing. */
      readonly isTableCreated: boolean;
    };
    readonly elasticsearch: {
      /** Tried in turn. Empty when unset, which is only allowed for another output type. */
      readonly urls: readonly string[];
      readonly index: string;
      readonly user: string | undefined;
      readonly password: string | undefined;
      /** Wins over user and password. */
      readonly apiKey: string | undefined;
      /** PEM certificates to trust instead of the system's. */
      readonly caFile: string | undefined;
      readonly isTemplateInstalled: boolean;
    };
    /** No brokers and no topic when unset, which is only allowed for another output type. */
    readonly kafka: { readonly brokers: readonly string[]; readonly topic: string };
    readonly outbox: OutboxConfig;
  };
  readonly logging: { readonly level: LogLevel; readonly format: "json" | "console" };
  readonly observability: { readonly isMetricsEnabled: boolean };
  readonly dashboard: {
    /** A sensor counts as quiet after so long without a batch, unless its own usual gap is longer. */
    readonly quietAfterSeconds: number;
    /** Memory for the latest events, which the live tail shows. */
    readonly recentEventsBytes: number;
  };
}

/** One sensor and the token it signs in with. */
export interface SensorCredential {
  readonly sensorId: string;
  /** Another spelling of the id that `X-Spip-ID` may use: the one a shell allowed in the variable's name. */
  readonly alias: string | undefined;
  readonly token: string;
}
