import type { Config } from "../config/config.ts";
import type { Log } from "../telemetry/log.ts";
import { type AddressDatabases, openDatabases } from "./databases.ts";
import { Enricher } from "./enricher.ts";
import { KnownScanners } from "./known-scanners.ts";
import { ReverseDns } from "./reverse-dns.ts";

/** The enrichment stage: databases, reverse DNS, and the enricher that uses them. */
export interface Enrichment {
  readonly databases: AddressDatabases;
  /** undefined: reverse DNS is off. */
  readonly reverseDns: ReverseDns | undefined;
  readonly enricher: Enricher;
  close(): void;
}

/** Opens the configured databases. @throws Error that names the configuration key of a database that cannot be used */
export async function startEnrichment(config: Config["enrichment"], log: Log): Promise<Enrichment> {
  const databases = await openDatabases({ ...config, log: log.component("enrichment") });
  const scanners = config.knownScanners ? new KnownScanners() : undefined;
  const reverseDns = config.dns.enabled
    ? new ReverseDns({
        ...config.dns,
        log: log.component("dns"),
        needsConfirmation: (name) => scanners?.scannerOfName(name) !== undefined,
      })
    : undefined;
  return {
    databases,
    reverseDns,
    enricher: new Enricher({
      databases,
      reverseDns,
      scanners,
      sourceAddressFields: config.sourceAddressFields,
    }),
    close() {
      reverseDns?.close();
      databases.close();
    },
  };
}
