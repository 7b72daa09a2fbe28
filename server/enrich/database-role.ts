import { DatabaseError } from "./database-error.ts";
import { readDatabaseFile } from "./database-file.ts";
import type { RecordFacts } from "./database-layouts.ts";
import { createDatabaseReader, type DatabaseReader } from "./database-reader.ts";

/** What a database is used for: places, or networks. */
export type DatabaseRole = "geoip" | "asn";

/** "error": the record of the address is damaged. */
export type ReadResult = "hit" | "miss" | "error";

export interface LoadedDatabase {
  readonly reader: DatabaseReader;
  /** Of its file when it was read; see fileState. */
  readonly state: string;
}

/** The path of a database that the executable carries. */
export const builtinPath = "built in";

/** The configuration key of the path of each role. */
export const pathKeys: Readonly<Record<DatabaseRole, string>> = {
  geoip: "geoip_db_path",
  asn: "asn_db_path",
};

/** Whether a record has what the role is for. */
export function isHit(role: DatabaseRole, { place, network }: RecordFacts): boolean {
  return (role === "geoip" ? place : network) !== undefined;
}

/**
 * Reads and checks a database file.
 * @throws DatabaseError for a file that cannot be used in this role; its message is the reason alone
 */
export async function loadDatabase(role: DatabaseRole, path: string): Promise<LoadedDatabase> {
  const { bytes, state } = await readDatabaseFile(path);
  const reader = await createDatabaseReader(bytes);
  const isUsable = role === "geoip" ? reader.hasPlaces : reader.hasNetworks;
  if (!isUsable)
    throw new DatabaseError(`it is a ${JSON.stringify(reader.type)} database and ${wrongKinds[role]}`);
  return { reader, state };
}

const wrongKinds: Readonly<Record<DatabaseRole, string>> = {
  geoip: "has no places; a City, Country or Enterprise database has",
  asn: "has no AS numbers; an ASN, ISP or Enterprise database has",
};
