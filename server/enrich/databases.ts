import { parseIpAddress } from "../ip-address.ts";
import type { Log } from "../telemetry/log.ts";
import { type AddressFacts, AddressFactsCache } from "./address-facts.ts";
import { BuiltinDatabase, openBuiltinDatabase } from "./builtin/builtin-database.ts";
import type { DatabaseRole } from "./database-role.ts";
import { type DatabaseSlot, openDatabaseSlot } from "./database-slot.ts";
import { skipped } from "./record-answers.ts";
import { RoleDatabases } from "./role-databases.ts";

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

  const cache = new AddressFactsCache();
  const generation = () => geoip.generation + asn.generation;
  function find(text: string, isPrivate: boolean): AddressFacts {
    const address = parseIpAddress(text) ?? [];
    const inGeoip = isPrivate && !geoip.isList ? skipped : geoip.read(address);
    const inAsn = isPrivate && !asn.isList ? skipped : asn.read(address);
    return cache.of(inGeoip, inAsn, asn.isBuiltin, generation());
  }

  return {
    lookup: (address) => find(address, false),
    hasOwnNetworks: geoip.isList || asn.isList,
    lookupPrivate: (address) => find(address, true),
    get generation() {
      return generation();
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
