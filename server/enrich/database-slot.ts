import type { Log } from "../telemetry/log.ts";
import { fileState, readDatabaseFile } from "./database-file.ts";
import type { RecordFacts } from "./database-layouts.ts";
import { createDatabaseReader, type DatabaseReader } from "./database-reader.ts";
import { DatabaseError } from "./database-record.ts";

export type DatabaseRole = "geoip" | "asn";

/** "error": the record of the address is damaged. */
export type ReadResult = "hit" | "miss" | "error";

/** Of lookups that fail in one database, the first is logged, and then one in so many. */
const failuresPerLogLine = 10_000;
const nothing: RecordFacts = { network: undefined, place: undefined };

const roles = {
  geoip: {
    key: "geoip_db_path",
    wrongKind: "has no places; a City, Country or Enterprise database has",
    serves: (reader: DatabaseReader) => reader.hasPlaces,
    isHit: (facts: RecordFacts) => facts.place !== undefined,
  },
  asn: {
    key: "asn_db_path",
    wrongKind: "has no AS numbers; an ASN, ISP or Enterprise database has",
    serves: (reader: DatabaseReader) => reader.hasNetworks,
    isHit: (facts: RecordFacts) => facts.network !== undefined,
  },
};

export interface DatabaseSlotOptions {
  readonly role: DatabaseRole;
  readonly path: string;
  readonly log: Pick<Log, "info" | "error">;
  /** Called after another file has taken the place of the loaded one. */
  readonly onSwapped: () => void;
}

/** The place of one configured database: what is loaded, and what happens to its file. */
export interface DatabaseSlot {
  readonly role: DatabaseRole;
  readonly path: string;
  readonly reader: DatabaseReader;
  /** Never throws. */
  read(address: string): { facts: RecordFacts; result: ReadResult };
  /** Takes the file when it is another one than is loaded, and has been the same since the last call. Never rejects. */
  poll(): Promise<void>;
  /** Takes the file when it is another one than is loaded, at once. Never rejects. */
  reload(): Promise<void>;
  /** From here on the loaded database stays. */
  close(): void;
}

/** @throws Error that names the configuration's key, for a file that can't be used in this role */
export async function openDatabaseSlot({
  role,
  path,
  log,
  onSwapped,
}: DatabaseSlotOptions): Promise<DatabaseSlot> {
  const { key, isHit } = roles[role];
  let loaded = await load(role, path).catch((error: unknown) => {
    throw new Error(`enrichment: ${key}: ${reasonOf(error)}`, { cause: error });
  });
  log.info("database loaded", described(loaded.reader));
  let failures = 0;
  /** The file at the last poll; it may be half-copied until two polls find the same. */
  let seenState = loaded.state;
  let refusedState: string | undefined;
  let isClosed = false;
  let lastCheck = Promise.resolve();

  function described(reader: DatabaseReader) {
    return { role, path, type: reader.type, build_time: reader.buildTime.toISOString() };
  }

  async function check(isPolled: boolean): Promise<void> {
    const state = await fileState(path);
    const isSettled = state === seenState;
    seenState = state;
    if (state === loaded.state) return;
    if (isPolled && (!isSettled || state === refusedState)) return;
    const next = await load(role, path).catch((error: unknown) => {
      log.error("database refused; the loaded one stays in use", {
        role,
        path,
        reason: reasonOf(error),
        loaded_build_time: loaded.reader.buildTime.toISOString(),
      });
      return undefined;
    });
    refusedState = next ? undefined : state;
    if (!next || isClosed) return;
    loaded = next;
    failures = 0;
    log.info("database reloaded", described(next.reader));
    onSwapped();
  }

  /** One check after another: two at once would load the same file twice. */
  function checkInTurn(isPolled: boolean): Promise<void> {
    lastCheck = lastCheck.then(() => check(isPolled));
    return lastCheck;
  }

  return {
    role,
    path,
    get reader() {
      return loaded.reader;
    },
    read(address) {
      try {
        const facts = loaded.reader.read(address);
        return { facts, result: isHit(facts) ? "hit" : "miss" };
      } catch (error) {
        if (failures++ % failuresPerLogLine === 0) {
          log.error("database lookup failed", { role, path, reason: reasonOf(error), failures });
        }
        return { facts: nothing, result: "error" };
      }
    },
    poll: () => checkInTurn(true),
    reload: () => checkInTurn(false),
    close() {
      isClosed = true;
    },
  };
}

/** @throws Error for a file that can't be used in this role */
async function load(role: DatabaseRole, path: string): Promise<{ reader: DatabaseReader; state: string }> {
  try {
    const { bytes, state } = await readDatabaseFile(path);
    const reader = await createDatabaseReader(bytes);
    const { serves, wrongKind } = roles[role];
    if (!serves(reader))
      throw new Error(`${path} is a ${JSON.stringify(reader.type)} database and ${wrongKind}`);
    return { reader, state };
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new Error(`cannot open ${path}: ${error.message}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
