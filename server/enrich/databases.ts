import type { Log } from "../telemetry/log.ts";
import type { NetworkFacts, PlaceFacts } from "./database-layouts.ts";
import { type DatabaseRole, openDatabaseSlot, type ReadResult } from "./database-slot.ts";

/** How often the files are looked at. */
const defaultPollIntervalMs = 5_000;

export interface DatabasesOptions {
  readonly geoipDbPath: string | undefined;
  readonly asnDbPath: string | undefined;
  readonly log: Pick<Log, "info" | "error">;
  /** Called after a database was replaced: what was looked up before is out of date. */
  readonly onSwapped: () => void;
  readonly pollIntervalMs?: number;
}

/** "skipped": no database is configured for it. */
export type LookupResult = ReadResult | "skipped";

export interface AddressFacts {
  /** From the ASN database; from the other one where that knows nothing. */
  readonly network: NetworkFacts | undefined;
  readonly place: PlaceFacts | undefined;
  /** Whether each database knew what it is there for: places, networks. */
  readonly results: { readonly geoip: LookupResult; readonly asn: LookupResult };
}

export interface DatabaseDescription {
  readonly path: string;
  readonly role: DatabaseRole;
  /** `database_type` of its metadata: "GeoLite2-City". */
  readonly type: string;
  readonly buildTime: Date;
  readonly ipVersion: 4 | 6;
  readonly sizeBytes: number;
  readonly nodeCount: number;
  /** Networks with a record. */
  readonly networkCount: number;
}

export interface AddressDatabases {
  /** @param address as parsePublicAddress gives it. Never throws. */
  lookup(address: string): AddressFacts;
  /** Looks at the files at once and takes those that were replaced. What is wrong is logged; never rejects. */
  reload(): Promise<void>;
  describe(): DatabaseDescription[];
  /** Stops looking at the files. Lookups go on with what is loaded. */
  close(): void;
}

/**
 * Reads the configured databases into memory and follows their files: one that is replaced is read beside the loaded one,
 * checked, and takes its place between two lookups.
 *
 * @throws Error `enrichment: geoip_db_path: …` for a file that is missing, damaged, or of the wrong kind
 */
export async function openDatabases(options: DatabasesOptions): Promise<AddressDatabases> {
  const { geoipDbPath, asnDbPath, log, onSwapped, pollIntervalMs = defaultPollIntervalMs } = options;
  const open = (role: DatabaseRole, path: string | undefined) =>
    path === undefined ? undefined : openDatabaseSlot({ role, path, log, onSwapped });
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
