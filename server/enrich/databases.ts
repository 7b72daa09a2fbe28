import type { Log } from "../telemetry/log.ts";
import type { NetworkFacts, PlaceFacts } from "./database-layouts.ts";
import { type DatabaseRole, openDatabaseSlot, type ReadResult } from "./database-slot.ts";

/** How often the files are checked. */
const defaultPollIntervalMs = 5_000;

export interface DatabasesOptions {
  readonly geoipDbPath: string | undefined;
  readonly asnDbPath: string | undefined;
  readonly log: Pick<Log, "info" | "error">;
  readonly pollIntervalMs?: number;
}

/** "skipped": no database is configured for it. */
export type LookupResult = ReadResult | "skipped";

export interface AddressFacts {
  /** From the ASN database; if that knows nothing, from the other one. */
  readonly network: NetworkFacts | undefined;
  readonly place: PlaceFacts | undefined;
  /** Whether each database knew what it is configured for: the place, the network. */
  readonly results: { readonly geoip: LookupResult; readonly asn: LookupResult };
}

export interface DatabaseDescription {
  readonly path: string;
  readonly role: DatabaseRole;
  /** `database_type` in its metadata: "GeoLite2-City". */
  readonly type: string;
  readonly buildTime: Date;
  readonly ipVersion: 4 | 6;
  readonly sizeBytes: number;
  readonly nodeCount: number;
  /** The number of networks with a record. */
  readonly networkCount: number;
}

export interface AddressDatabases {
  /** @param address as returned by parsePublicAddress. Never throws. */
  lookup(address: string): AddressFacts;
  /** Changes whenever a database is replaced: an answer of `lookup` belongs to the generation in which it was given. */
  readonly generation: number;
  /** Checks the files at once and loads those that were replaced. What is wrong with a file is logged; never rejects. */
  reload(): Promise<void>;
  describe(): DatabaseDescription[];
  /** Stops checking the files. Lookups still work, with the loaded databases. */
  close(): void;
}

/**
 * Reads the configured databases into memory and follows their files: a file that was replaced is read and checked
 * beside the loaded database, and then replaces it between two lookups.
 *
 * @throws Error `enrichment: geoip_db_path: …` for a file that is missing, damaged, or of the wrong kind
 */
export async function openDatabases(options: DatabasesOptions): Promise<AddressDatabases> {
  const { geoipDbPath, asnDbPath, log, pollIntervalMs = defaultPollIntervalMs } = options;
  const open = (role: DatabaseRole, path: string | undefined) =>
    path === undefined ? undefined : openDatabaseSlot({ role, path, log });
  const geoip = await open("geoip", geoipDbPath);
  const asn = await open("asn", asnDbPath);
  const slots = [geoip, asn].filter((slot) => slot !== undefined);

  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  function pollLater(): void {
    if (slots.length === 0 || isClosed) return;
    timer = setTimeout(async () => {
      for (const slot of slots) await slot.poll();
      pollLater();
    }, pollIntervalMs);
    timer.unref();
  }
  pollLater();

  return {
    lookup(address) {
      const inGeoip = geoip?.read(address);
      const inAsn = asn?.read(address);
      return {
        network: inAsn?.facts.network ?? inGeoip?.facts.network,
        place: inGeoip?.facts.place,
        results: { geoip: inGeoip?.result ?? "skipped", asn: inAsn?.result ?? "skipped" },
      };
    },
    get generation() {
      return (geoip?.generation ?? 0) + (asn?.generation ?? 0);
    },
    async reload() {
      for (const slot of slots) await slot.reload();
    },
    describe: () =>
      slots.map(({ path, role, reader }) => ({
        path,
        role,
        type: reader.type,
        buildTime: reader.buildTime,
        ipVersion: reader.ipVersion,
        sizeBytes: reader.sizeBytes,
        nodeCount: reader.nodeCount,
        networkCount: reader.networkCount,
      })),
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const slot of slots) slot.close();
    },
  };
}
