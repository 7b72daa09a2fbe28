import type { Log } from "../telemetry/log.ts";
import { BuiltinDatabase, openBuiltinDatabase } from "./builtin/builtin-database.ts";
import type { NetworkFacts, PlaceFacts } from "./database-layouts.ts";
import type { DatabaseRole, ReadResult } from "./database-role.ts";
import { type DatabaseSlot, openDatabaseSlot } from "./database-slot.ts";
import { RoleDatabases, type RoleResult } from "./role-databases.ts";

/** How often the files are checked. */
const defaultPollIntervalMs = 5_000;

export interface DatabasesOptions {
  /** A list is asked in order. Addresses that are not public are looked up only in a list. */
  readonly geoipDbPath: string | readonly string[] | undefined;
  readonly asnDbPath: string | readonly string[] | undefined;
  /** Whether the databases inside the executable are used for what has no path; default: false. */
  readonly builtinDatabases?: boolean;
  /** The databases that Loom downloads. Their files may be missing: built-in databases are used until they exist. */
  readonly downloaded?: readonly DatabaseRole[];
  readonly log: Pick<Log, "info" | "error">;
  readonly pollIntervalMs?: number;
}

/** "skipped": no database is configured for it. */
export type LookupResult = ReadResult | "skipped";

export interface AddressFacts {
  /** From the ASN database; if that knows nothing, from the other one. A configured database precedes a built-in one. */
  readonly network: NetworkFacts | undefined;
  readonly place: PlaceFacts | undefined;
  /** Whether each database knew what it is configured for: the place, the network. */
  readonly results: { readonly geoip: LookupResult; readonly asn: LookupResult };
}

export interface DatabaseDescription {
  /** "built in" if the executable carries it. */
  readonly path: string;
  readonly isBuiltin: boolean;
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
  /** Whether there are databases that are asked about addresses that are not public: those that are configured as a list. */
  readonly hasOwnNetworks: boolean;
  /** Looks up an address that is not public in these databases. @param address as returned by parseAddress. Never throws. */
  lookupPrivate(address: string): AddressFacts;
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
  const {
    geoipDbPath,
    asnDbPath,
    builtinDatabases = false,
    pollIntervalMs = defaultPollIntervalMs,
  } = options;
  const geoip = await openRole("geoip", geoipDbPath, builtinDatabases, options);
  const asn = await openRole("asn", asnDbPath, builtinDatabases, options);
  const slots = [...geoip.slots, ...asn.slots];

  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  function pollLater(): void {
    if (slots.every((slot) => slot instanceof BuiltinDatabase) || isClosed) return;
    timer = setTimeout(async () => {
      for (const slot of slots) await slot.poll();
      pollLater();
    }, pollIntervalMs);
    timer.unref();
  }
  pollLater();

  return {
    lookup: (address) => {
      const inGeoip = readIf(geoip.slots.length > 0, geoip, address);
      const inAsn = readIf(asn.slots.length > 0, asn, address);
      return asn.isBuiltin && inGeoip?.facts.network
        ? { ...factsOf(inGeoip, inAsn), network: inGeoip.facts.network }
        : factsOf(inGeoip, inAsn);
    },
    hasOwnNetworks: geoip.isList || asn.isList,
    lookupPrivate: (address) =>
      factsOf(readIf(geoip.isList, geoip, address), readIf(asn.isList, asn, address)),
    get generation() {
      return geoip.generation + asn.generation;
    },
    async reload() {
      for (const slot of slots) await slot.reload();
    },
    describe: () =>
      slots.flatMap(({ path, isBuiltin, role, reader }) => {
        if (reader === undefined) return [];
        const { type, buildTime, ipVersion, sizeBytes, nodeCount, networkCount } = reader;
        return [{ path, isBuiltin, role, type, buildTime, ipVersion, sizeBytes, nodeCount, networkCount }];
      }),
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const slot of slots) slot.close();
    },
  };
}

async function openRole(
  role: DatabaseRole,
  path: DatabasesOptions["geoipDbPath"],
  hasBuiltin: boolean,
  { log, downloaded = [] }: DatabasesOptions,
): Promise<RoleDatabases> {
  const openBuiltin = async () => (hasBuiltin ? await openBuiltinDatabase(role, log) : undefined);
  if (path === undefined) {
    const builtin = await openBuiltin();
    return new RoleDatabases(builtin ? [builtin] : [], false);
  }
  const isList = typeof path !== "string";
  const slots: DatabaseSlot[] = [];
  const standIn = downloaded.includes(role) ? async () => (await openBuiltin())?.reader : undefined;
  for (const one of isList ? path : [path])
    slots.push(await openDatabaseSlot({ role, path: one, log, standIn }));
  return new RoleDatabases(slots, isList);
}

function readIf(isAsked: boolean, databases: RoleDatabases, address: string): RoleResult | undefined {
  return isAsked ? databases.read(address) : undefined;
}

function factsOf(inGeoip: RoleResult | undefined, inAsn: RoleResult | undefined): AddressFacts {
  return {
    network: inAsn?.facts.network ?? inGeoip?.facts.network,
    place: inGeoip?.facts.place,
    results: { geoip: inGeoip?.result ?? "skipped", asn: inAsn?.result ?? "skipped" },
  };
}
