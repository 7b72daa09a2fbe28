import type { Config } from "../config/config.ts";
import type { Ledger } from "../telemetry/ledger.ts";
import type { Log } from "../telemetry/log.ts";
import { type AddressDatabases, openDatabases } from "./databases.ts";
import { Enricher } from "./enricher.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import { KnownScanners } from "./known-scanners.ts";
import { ReverseDns } from "./reverse-dns.ts";
import { DatabaseUpdates } from "./update/database-updates.ts";

/** The enrichment stage: databases, reverse DNS, `[[ignore]]` rules, and the enricher that uses them. */
export interface Enrichment {
  readonly databases: AddressDatabases;
  /** undefined: reverse DNS is off. */
  readonly reverseDns: ReverseDns | undefined;
  readonly ignoreRules: IgnoreRules;
  readonly enricher: Enricher;
  /** They are not started yet. */
  readonly updates: DatabaseUpdates;
  close(): Promise<void>;
}

/** Opens the configured databases. @throws Error that names the configuration key of a database that cannot be used */
export async function startEnrichment(
  { enrichment: config, ignore }: Pick<Config, "enrichment" | "ignore">,
  ledger: Ledger,
  log: Log,
): Promise<Enrichment> {
  const ownLog = log.component("enrichment");
  const downloaded = config.update.databases.map(({ role }) => role);
  const databases = await openDatabases({ ...config, downloaded, log: ownLog });
  const updates = new DatabaseUpdates({
    config: config.update,
    log: ownLog,
    onUpdated: () => databases.reload(),
  });
  const scanners = config.knownScanners ? new KnownScanners() : undefined;
  const reverseDns = config.dns.enabled
    ? new ReverseDns({
        ...config.dns,
        log: log.component("dns"),
        needsConfirmation: (name) => scanners?.scannerOfName(name) !== undefined,
      })
    : undefined;
  const ignoreRules = new IgnoreRules(ignore, ledger);
  const { sourceAddressFields } = config;
  return {
    databases,
    reverseDns,
    ignoreRules,
    enricher: new Enricher({
      databases: databases.describe().length + downloaded.length > 0 ? databases : undefined,
      reverseDns,
      scanners,
      ignoreRules,
      sourceAddressFields,
    }),
    updates,
    async close() {
      await updates.stop();
      reverseDns?.close();
      databases.close();
    },
  };
}
