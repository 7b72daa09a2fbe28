import type { Config } from "../config/config.ts";
import type { Ledger } from "../telemetry/ledger.ts";
import type { Log } from "../telemetry/log.ts";
import { type AddressDatabases, openDatabases } from "./databases.ts";
import { Enricher } from "./enricher.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import { KnownScanners } from "./known-scanners.ts";
import { ReverseDns } from "./reverse-dns.ts";

/** The enrichment stage: databases, reverse DNS, `[[ignore]]` rules, and the enricher that uses them. */
export interface Enrichment {
  readonly databases: AddressDatabases;
  /** undefined: reverse DNS is off. */
  readonly reverseDns: ReverseDns | undefined;
  readonly ignoreRules: IgnoreRules;
  readonly enricher: Enricher;
  close(): void;
}

/** Opens the configured databases. @throws Error that names the configuration key of a database that cannot be used */
export async function startEnrichment(
  { enrichment: config, ignore }: Pick<Config, "enrichment" | "ignore">,
  ledger: Ledger,
  log: Log,
): Promise<Enrichment> {
  const databases = await openDatabases({ ...config, log: log.component("enrichment") });
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
      databases: databases.describe().length > 0 ? databases : undefined,
      reverseDns,
      scanners,
      ignoreRules,
      sourceAddressFields,
    }),
    close() {
      reverseDns?.close();
      databases.close();
    },
  };
}
