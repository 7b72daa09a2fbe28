import type { IpAddress } from "../../ip-address.ts";
import type { Log } from "../../telemetry/log.ts";
import { createDatabaseReader, type DatabaseReader } from "../database-reader.ts";
import { builtinPath, type DatabaseRole } from "../database-role.ts";
import { type Answer, RecordAnswers } from "../record-answers.ts";
import { readBuiltinFile } from "./files.ts";

const contents = {
  geoip: { name: "country", hasNetworks: false, hasPlaces: true },
  asn: { name: "asn", hasNetworks: true, hasPlaces: false },
} as const;

/**
 * What the executable carries for a role: countries, or networks. Nobody configured it, so Loom also starts without it; an
 * executable has none if it was not built with `bun run build`.
 *
 * @returns undefined, with a line in the log, if it cannot be used
 */
export async function openBuiltinDatabase(
  role: DatabaseRole,
  log: Pick<Log, "error">,
  readFile = readBuiltinFile,
): Promise<BuiltinDatabase | undefined> {
  const { name, ...known } = contents[role];
  try {
    return new BuiltinDatabase(role, await createDatabaseReader(await readFile(name), known));
  } catch (error) {
    log.error("cannot open a built-in database; events do not get its fields", {
      role,
      reason: error instanceof Error ? error.message : String(error),
    });
    return undefined;
  }
}

/** A database that the executable carries. It is never replaced. */
export class BuiltinDatabase {
  readonly role: DatabaseRole;
  readonly path = builtinPath;
  readonly isBuiltin = true;
  readonly reader: DatabaseReader;
  readonly generation = 0;
  readonly #answers: RecordAnswers;

  constructor(role: DatabaseRole, reader: DatabaseReader) {
    this.role = role;
    this.reader = reader;
    this.#answers = new RecordAnswers(reader, ({ network, place }) => (network ?? place) !== undefined);
  }

  read(address: IpAddress): Answer {
    return this.#answers.of(address);
  }

  async poll(): Promise<void> {}

  async reload(): Promise<void> {}

  close(): void {}
}
