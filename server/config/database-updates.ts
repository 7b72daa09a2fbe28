import { ConfigError } from "./config-error.ts";
import type { sections } from "./keys.ts";
import type { Environment } from "./read-values.ts";
import { headerText, readSecret } from "./secret-variable.ts";
import type { NestedValues } from "./typed-values.ts";
import type { UpdateSource } from "./update-source.ts";

/** The account at MaxMind. Its key is a secret, so it comes from the environment alone. */
export interface MaxmindAccount {
  readonly accountId: string;
  readonly licenseKey: string;
}

/** A database that Loom downloads. */
export interface DatabaseUpdate {
  readonly role: "geoip" | "asn";
  readonly path: string;
  readonly source: UpdateSource;
}

export interface UpdatesConfig {
  /** Empty: nothing is downloaded. */
  readonly databases: readonly DatabaseUpdate[];
  readonly intervalMs: number;
  readonly maxmindUrl: string;
  readonly dbipUrl: string;
  /** undefined: no database is from MaxMind. */
  readonly maxmindAccount: MaxmindAccount | undefined;
}

type EnrichmentValues = NestedValues<typeof sections>["enrichment"];

const hourMs = 3_600_000;
const accountVariable = "LOOM_MAXMIND_ACCOUNT_ID";
const keyVariable = "LOOM_MAXMIND_LICENSE_KEY";

/**
 * Reads `LOOM_MAXMIND_ACCOUNT_ID` and `LOOM_MAXMIND_LICENSE_KEY`.
 * @returns undefined unless both are set
 * @throws ConfigError that names the variable and does not show its value
 */
export function readMaxmindAccount(environment: Environment): MaxmindAccount | undefined {
  const accountId = readSecret(accountVariable, { pattern: /^\d+$/, allowed: "digits" }, environment);
  const licenseKey = readSecret(keyVariable, headerText, environment);
  return accountId === undefined || licenseKey === undefined ? undefined : { accountId, licenseKey };
}

/** @throws ConfigError if a database has a source, but Loom cannot download it or has nowhere to store it */
export function buildUpdates(
  { update, geoipDbPath, asnDbPath }: EnrichmentValues,
  account: MaxmindAccount | undefined,
): UpdatesConfig {
  const databases = [
    ...updateOf("geoip", update.geoip, geoipDbPath),
    ...updateOf("asn", update.asn, asnDbPath),
  ];
  const [first, second] = databases;
  if (first && second && first.path === second.path)
    throw new ConfigError(
      "config: enrichment.update: geoip and asn would both be stored in the same file; allowed: one of them, or different paths",
    );
  const ofMaxmind = databases.find(({ source }) => source.kind === "maxmind");
  if (ofMaxmind && !account)
    throw new ConfigError(
      `config: enrichment.update: ${ofMaxmind.role} is from MaxMind, which needs ${accountVariable} and ${keyVariable} in the environment`,
    );
  return {
    databases,
    intervalMs: update.intervalHours * hourMs,
    maxmindUrl: update.maxmindUrl,
    dbipUrl: update.dbipUrl,
    maxmindAccount: ofMaxmind && account,
  };
}

function updateOf(
  role: DatabaseUpdate["role"],
  source: UpdateSource | undefined,
  path: string | readonly string[] | undefined,
): readonly DatabaseUpdate[] {
  if (source === undefined) return [];
  if (typeof path === "string") return [{ role, path, source }];
  const found = path === undefined ? "is not set" : "is a list";
  throw new ConfigError(
    `config: enrichment.update: ${role} is downloaded to ${role}_db_path, which ${found}; allowed: one path`,
  );
}
