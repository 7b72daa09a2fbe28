import { hasAllAddresses } from "../network.ts";
import { isLoopback, isSameAddress } from "./address-kinds.ts";
import type { Config, IgnoreRuleConfig, TlsFiles } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { buildUpdates, type MaxmindAccount } from "./database-updates.ts";
import { maxIgnoredNetworks, sections, tableArrays } from "./keys.ts";
import type { ManagementTokens } from "./management-tokens.ts";
import type { OutputKind } from "./output-kind.ts";
import type { ReadValues } from "./read-values.ts";
import type { SourcedCredential } from "./sensors.ts";
import { recommendedSuites } from "./tls-suites.ts";
import { type NestedValues, nameTables, nestValues } from "./typed-values.ts";

type Values = NestedValues<typeof sections>;

/** What is not in the table of keys. */
export interface Secrets {
  readonly management: ManagementTokens;
  readonly maxmindAccount: MaxmindAccount | undefined;
  readonly sensors: readonly SourcedCredential[];
}

const tokensInFile =
  "config: auth.tokens: tokens in the configuration file can be read by everybody who can read the file; token_file or LOOM_SENSOR_<id> is safer";

const allTrusted =
  "config: server: trusted_proxies contains every address, so each client can choose the address that is logged for it; list the addresses of the proxies";

/**
 * Checks what depends on more than one key, and returns the whole configuration, deeply frozen.
 * @throws ConfigError when keys contradict each other, or one is missing that another needs
 */
export function buildConfig<Output>(
  { values, tables, written }: ReadValues,
  { management, maxmindAccount, sensors }: Secrets,
  outputs: readonly OutputKind<Output>[],
): Config<Output> {
  const { server, auth, enrichment, output, ...others } = nestValues(sections, values);
  const warnings = sensors.length > 0 ? [tokensInFile] : [];
  const { trustedProxies = [] } = server;
  if (trustedProxies.some(hasAllAddresses)) warnings.push(allTrusted);
  const config: Config<Output> = {
    ...others,
    ...nameTables(tableArrays, tables),
    server: {
      listenAddress: server.listenAddress,
      tls: buildIngestTls(server, warnings),
      managementListenAddress: server.managementListenAddress,
      managementTls: buildTls("management_tls", server.managementTls, server),
      managementHostNames: server.managementHostNames ?? [],
      trustedProxies,
    },
    auth: { ...auth, sensors },
    enrichment: { ...enrichment, update: buildUpdates(enrichment, maxmindAccount) },
    management,
    warnings,
    limits: buildLimits(others.limits, written),
    output: {
      ...output,
      outbox: buildOutbox(output.outbox, written),
      outputs: output.type.flatMap((name) => outputs.filter((one) => one.name === name)).map(configure),
    },
  };
  assertDistinctAddresses(server);
  assertIgnoreRules(config.ignore);
  return freezeDeeply(config);

  function configure(one: OutputKind<Output>): Output {
    for (const [name, { isRequired }] of Object.entries(one.keys)) {
      if (!isRequired || values.output?.[name] !== undefined) continue;
      throw new ConfigError(`config: output: ${name} is missing; type = "${one.name}" needs it`);
    }
    if (one.needsOutbox && !output.outbox.enabled)
      warnings.push(
        `config: output.outbox: enabled is false and has no effect: the output "${one.name}" uses the outbox, because a batch that is answered 204 is on disk`,
      );
    return one.configure(values.output ?? {});
  }
}

/** `tls` that is not set is on if both files are set. */
function buildIngestTls(server: Values["server"], warnings: string[]): TlsFiles | undefined {
  const { tls, certFile, keyFile, listenAddress } = server;
  const isOn = tls ?? (certFile !== undefined && keyFile !== undefined);
  if (tls === undefined && !isOn && !isLoopback(listenAddress))
    warnings.push(
      `config: server: tls is off, because ${missingFiles(server)} not set: tokens and events can be read on their way to ${listenAddress.text}; set the files, or tls = false to confirm it`,
    );
  return buildTls("tls", isOn, server);
}

function missingFiles({ certFile, keyFile }: Values["server"]): string {
  if (certFile === undefined && keyFile === undefined) return "cert_file and key_file are";
  return certFile === undefined ? "cert_file is" : "key_file is";
}

function buildTls(
  key: "tls" | "management_tls",
  isEnabled: boolean,
  { certFile, keyFile, tlsCiphers = recommendedSuites }: Values["server"],
): TlsFiles | undefined {
  if (!isEnabled) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new ConfigError(`config: server: ${key} enabled but cert_file or key_file missing`);
  }
  return { certFile, keyFile, ciphers: tlsCiphers };
}

function assertDistinctAddresses({
  listenAddress,
  managementListenAddress: management,
}: Values["server"]): void {
  if (management === undefined || !isSameAddress(listenAddress, management)) return;
  throw new ConfigError(
    `config: server: management_listen_address is "${management.text}", which listen_address "${listenAddress.text}" already uses; allowed: another port`,
  );
}

function assertIgnoreRules(rules: readonly IgnoreRuleConfig[]): void {
  const tableOf = new Map<string, number>();
  for (const [i, { name }] of rules.entries()) {
    const first = tableOf.get(name);
    if (first !== undefined)
      throw new ConfigError(
        `config: ignore: table ${i + 1}: name is "${name}", as in table ${first}; allowed: another name`,
      );
    tableOf.set(name, i + 1);
  }
  const networks = rules.reduce((sum, rule) => sum + rule.networks.length, 0);
  if (networks > maxIgnoredNetworks)
    throw new ConfigError(
      `config: ignore: the tables have ${networks} networks together; allowed: at most ${maxIgnoredNetworks}`,
    );
}

function buildLimits(limits: Values["limits"], written: ReadonlySet<string>): Values["limits"] {
  const { maxBodySizeBytes, maxEventSizeBytes } = limits;
  if (written.has("limits.max_event_size_bytes") && maxEventSizeBytes > maxBodySizeBytes) {
    throw new ConfigError(
      `config: limits: max_event_size_bytes is ${maxEventSizeBytes}; allowed: at most max_body_size_bytes, ${maxBodySizeBytes}`,
    );
  }
  // A file may lower the limit of the body alone: the default of the other limit follows it.
  return { ...limits, maxEventSizeBytes: Math.min(maxEventSizeBytes, maxBodySizeBytes) };
}

function buildOutbox(
  outbox: Values["output"]["outbox"],
  written: ReadonlySet<string>,
): Values["output"]["outbox"] {
  const { retryBackoffMs, retryMaxBackoffMs } = outbox;
  if (written.has("output.outbox.retry_max_backoff_ms") && retryMaxBackoffMs < retryBackoffMs) {
    throw new ConfigError(
      `config: output.outbox: retry_max_backoff_ms is ${retryMaxBackoffMs}; allowed: at least retry_backoff_ms, ${retryBackoffMs}`,
    );
  }
  // As above.
  return { ...outbox, retryMaxBackoffMs: Math.max(retryMaxBackoffMs, retryBackoffMs) };
}

function freezeDeeply<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) freezeDeeply(inner);
  }
  return Object.freeze(value);
}
