import type { IpAddress } from "../ip-address.ts";
import { SerialQueue } from "../serial-queue.ts";
import type { Log } from "../telemetry/log.ts";
import { DatabaseError } from "./database-error.ts";
import { fileState, missingFile } from "./database-file.ts";
import type { DatabaseReader } from "./database-reader.ts";
import {
  builtinPath,
  type DatabaseRole,
  isHit,
  type LoadedDatabase,
  loadDatabase,
  pathKeys,
} from "./database-role.ts";
import { type Answer, failed, miss, RecordAnswers } from "./record-answers.ts";

/** Of the lookups that fail in one database, the first is logged, and then one of this many. */
const failuresPerLogLine = 10_000;

export interface DatabaseSlotOptions {
  readonly role: DatabaseRole;
  readonly path: string;
  readonly log: Pick<Log, "info" | "error">;
  /** If Loom downloads the file, returns what is used until it exists; undefined: nothing is. */
  readonly standIn?: (() => Promise<DatabaseReader | undefined>) | undefined;
}

/** Loads a database. @throws Error that names the configuration key of a file that cannot be used in this role */
export async function openDatabaseSlot(options: DatabaseSlotOptions): Promise<DatabaseSlot> {
  const { role, path, log, standIn } = options;
  if (standIn && (await fileState(path)) === missingFile) {
    log.info("the database is not downloaded yet; until then only a built-in one is used", { role, path });
    return new DatabaseSlot(options, { reader: await standIn(), state: missingFile });
  }
  const loaded = await load(role, path).catch((error: unknown) => {
    throw new Error(`enrichment: ${pathKeys[role]}: ${reasonOf(error)}`, { cause: error });
  });
  log.info("database loaded", { role, path, ...described(loaded.reader) });
  return new DatabaseSlot(options, loaded);
}

interface StandIn {
  readonly reader: DatabaseReader | undefined;
  readonly state: typeof missingFile;
}

/** One configured database: the loaded file, which is replaced when the file on disk is. */
export class DatabaseSlot {
  readonly role: DatabaseRole;
  readonly #path: string;
  readonly #log: Pick<Log, "info" | "error">;
  #loaded: LoadedDatabase | StandIn;
  #answers: RecordAnswers | undefined;
  #generation = 0;
  /** Failed lookups in the loaded database. */
  #failures = 0;
  /** The state of the file at the last check. A file may be half-copied until two polls find the same state. */
  #seenState: string;
  #refusedState: string | undefined;
  #isClosed = false;
  readonly #checks = new SerialQueue();

  constructor({ role, path, log }: DatabaseSlotOptions, loaded: LoadedDatabase | StandIn) {
    this.role = role;
    this.#path = path;
    this.#log = log;
    this.#loaded = loaded;
    this.#answers = this.#answersOf(loaded.reader);
    this.#seenState = loaded.state;
  }

  /** undefined: there is nothing until the file is downloaded. */
  get reader(): DatabaseReader | undefined {
    return this.#loaded.reader;
  }

  /** Whether the file is not downloaded yet, so that a built-in database is used, or none. */
  get isBuiltin(): boolean {
    return this.#loaded.state === missingFile;
  }

  get path(): string {
    return this.isBuiltin ? builtinPath : this.#path;
  }

  /** How often the loaded database was replaced. */
  get generation(): number {
    return this.#generation;
  }

  /** Looks up an address. Never throws. */
  read(address: IpAddress): Answer {
    try {
      return this.#answers?.of(address) ?? miss;
    } catch (error) {
      this.#noteFailure(error);
      return failed;
    }
  }

  /** Loads the file if it differs from the loaded one and has not changed since the last call. Never rejects. */
  poll(): Promise<void> {
    return this.#checkInTurn(true);
  }

  /** Loads the file at once if it differs from the loaded one. Never rejects. */
  reload(): Promise<void> {
    return this.#checkInTurn(false);
  }

  /** From now on the loaded database is never replaced. */
  close(): void {
    this.#isClosed = true;
  }

  /** Checks run one after another: two at the same time would load the same file twice. */
  #checkInTurn(isPolled: boolean): Promise<void> {
    return this.#checks.run(() => this.#check(isPolled));
  }

  async #check(isPolled: boolean): Promise<void> {
    const state = await fileState(this.#path);
    const isSettled = state === this.#seenState;
    this.#seenState = state;
    if (state === this.#loaded.state) return;
    if (isPolled && (!isSettled || state === this.#refusedState)) return;
    const next = await load(this.role, this.#path).catch((error: unknown) => this.#noteRefused(error));
    this.#refusedState = next ? undefined : state;
    if (next && !this.#isClosed) this.#replaceWith(next);
  }

  #replaceWith(next: LoadedDatabase): void {
    const message = this.isBuiltin ? "database loaded" : "database reloaded";
    this.#loaded = next;
    this.#answers = this.#answersOf(next.reader);
    this.#generation++;
    this.#failures = 0;
    this.#log.info(message, { role: this.role, path: this.#path, ...described(next.reader) });
  }

  #answersOf(reader: DatabaseReader | undefined): RecordAnswers | undefined {
    return reader && new RecordAnswers(reader, (facts) => isHit(this.role, facts));
  }

  #noteRefused(error: unknown): undefined {
    this.#log.error("database refused; the loaded one stays in use", {
      role: this.role,
      path: this.#path,
      reason: reasonOf(error),
      loaded_build_time: this.reader?.buildTime.toISOString(),
    });
  }

  #noteFailure(error: unknown): void {
    if (this.#failures++ % failuresPerLogLine !== 0) return;
    this.#log.error("database lookup failed", {
      role: this.role,
      path: this.#path,
      reason: reasonOf(error),
      failures: this.#failures,
    });
  }
}

function described({ type, buildTime }: DatabaseReader) {
  return { type, build_time: buildTime.toISOString() };
}

/** @throws Error for a file that cannot be used in this role */
async function load(role: DatabaseRole, path: string): Promise<LoadedDatabase> {
  try {
    return await loadDatabase(role, path);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new Error(`cannot open ${path}: ${error.message}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
