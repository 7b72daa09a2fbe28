import type { RecordFacts } from "../database-layouts.ts";
import { createDatabaseReader, type DatabaseReader } from "../database-reader.ts";
import type { DatabaseRole, ReadResult } from "../database-slot.ts";
import { readBuiltinFile } from "./files.ts";

const contents = {
  geoip: { name: "country", hasNetworks: false, hasPlaces: true },
  asn: { name: "asn", hasNetworks: true, hasPlaces: false },
} as const;

/** What the executable carries for a role: countries, or networks. @throws Error that names the key which switches it off */
export async function openBuiltinDatabase(role: DatabaseRole): Promise<BuiltinDatabase> {
  const { name, ...known } = contents[role];
  try {
    return new BuiltinDatabase(role, await createDatabaseReader(await readBuiltinFile(name), known));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `enrichment: cannot open the built-in ${name} database: ${reason}; builtin_databases = false switches it off`,
      { cause: error },
    );
  }
}

/** A database that the executable carries. It is never replaced. */
export class BuiltinDatabase {
  readonly role: DatabaseRole;
  readonly path = "built in";
  readonly isBuiltin = true;
  readonly reader: DatabaseReader;
  readonly generation = 0;

  constructor(role: DatabaseRole, reader: DatabaseReader) {
    this.role = role;
    this.reader = reader;
  }

  read(address: string): { facts: RecordFacts; result: ReadResult } {
    const facts = this.reader.read(address);
    return { facts, result: facts.network === undefined && facts.place === undefined ? "miss" : "hit" };
  }

  async poll(): Promise<void> {}

  async reload(): Promise<void> {}

  close(): void {}
}
