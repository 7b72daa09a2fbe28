import type { Network } from "../network.ts";
import type { ListenAddress } from "./address-kinds.ts";
import type { UpdatesConfig } from "./database-updates.ts";
import type { sections, tableArrays } from "./keys.ts";
import type { ManagementTokens } from "./management-tokens.ts";
import type { SourcedCredential } from "./sensors.ts";
import type { NestedValues, TablesOf } from "./typed-values.ts";

export type { ConfiguredNetwork, ListenAddress } from "./address-kinds.ts";
export type { DatabaseUpdate, UpdatesConfig } from "./database-updates.ts";
export type { ManagementTokens } from "./management-tokens.ts";
export type { SensorCredential } from "./sensors.ts";

/** A certificate and its key, in PEM, and how they are used. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** The cipher suites for TLS 1.2. */
  readonly ciphers: readonly string[];
}

/** The values of the table of keys, named as in the file, in camelCase. */
type KeyedConfig = NestedValues<typeof sections>;
type TableConfig = TablesOf<typeof tableArrays>;

/**
 * Everything that the configuration file and the environment say, checked, complete and frozen. Its type follows from the
 * table of keys; written by hand is only what depends on more than one key, or comes from the environment alone.
 * @typeParam Output what the descriptor of an output makes of its keys
 */
export interface Config<Output = unknown>
  extends Omit<KeyedConfig, "server" | "auth" | "enrichment" | "output">,
    TableConfig {
  readonly server: {
    readonly listenAddress: ListenAddress;
    /** undefined: plain HTTP. */
    readonly tls: TlsFiles | undefined;
    /** undefined: no management port. */
    readonly managementListenAddress: ListenAddress | undefined;
    /** undefined: plain HTTP on the management port. */
    readonly managementTls: TlsFiles | undefined;
    /** In lower case. */
    readonly managementHostNames: readonly string[];
    readonly trustedProxies: readonly Network[];
  };
  readonly auth: KeyedConfig["auth"] & {
    /** The sensors of [auth.tokens]. */
    readonly sensors: readonly SourcedCredential[];
  };
  readonly enrichment: Omit<KeyedConfig["enrichment"], "update"> & { readonly update: UpdatesConfig };
  readonly management: ManagementTokens;
  /** What operators should know of the configuration, though Loom starts with it. */
  readonly warnings: readonly string[];
  readonly output: KeyedConfig["output"] & {
    /** The outputs that `type` names, in the same order. */
    readonly outputs: readonly Output[];
  };
}

export type LimitsConfig = Config["limits"];
export type IgnoreRuleConfig = Config["ignore"][number];
export type DnsConfig = Config["enrichment"]["dns"];
export type LogLevel = Config["logging"]["level"];
