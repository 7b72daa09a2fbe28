import { constants, Database } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { DamagedBlob } from "../packed.ts";

/** A file cannot be read at all, or not its tables: it is damaged, or from a newer Loom. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";

  /** Whether it could not be opened, such as for its permissions, so that nothing is known about its content. */
  get isRefused(): boolean {
    return String((this.cause as { code?: unknown } | undefined)?.code ?? "").startsWith("SQLITE_CANTOPEN");
  }
}

type Key = number | string;

const busyTimeoutMs = 1_000;
/** Large blobs are read past the cache. */
const cacheKib = 256;

/**
 * Reads a database beside its writer. No statement stays open between two calls, because that would keep the log from being
 * copied into the file.
 */
export class ReadOnlyDatabase {
  /** Whether the writer may be writing it. Such a file has to be closed soon, because it cannot be sealed until then. */
  readonly isWritten: boolean;
  /** Differs from that of another file that had the same path. */
  readonly inode: number;
  readonly #path: string;
  readonly #database: Database;

  /** @throws UnreadableFile */
  constructor(path: string) {
    this.#path = path;
    this.inode = statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
    // Without a log nobody writes the file. Opening it as usual could leave a log behind, which a reader cannot remove.
    this.isWritten = existsSync(`${path}-wal`);
    this.#database = this.#try(() => opened(path, this.isWritten));
  }

  /** @throws UnreadableFile if `read` throws anything */
  try<Result>(read: (database: Database) => Result): Result {
    return this.#try(() => read(this.#database));
  }

  /** The first row of an answer. @throws UnreadableFile */
  get<Row>(sql: string, ...keys: Key[]): Row | undefined {
    return this.try((database) => database.query<Row, Key[]>(sql).get(...keys) ?? undefined);
  }

  /** The only column of the first row. @throws DamagedBlob also if there is none */
  blob(sql: string, ...keys: Key[]): Uint8Array {
    const blob = this.tryBlob(sql, ...keys);
    if (!blob) throw new DamagedBlob("a blob is missing");
    return blob;
  }

  /** @returns undefined if there is no row @throws DamagedBlob */
  tryBlob(sql: string, ...keys: Key[]): Uint8Array | undefined {
    const row = this.#tryRow(sql, keys);
    if (!row) return undefined;
    const [blob] = Object.values(row);
    if (!(blob instanceof Uint8Array)) throw new DamagedBlob("a blob has another type");
    return blob;
  }

  /** The first fault that SQLite finds in the pages, all of which it reads; undefined: there is none. */
  pageDamage(): string | undefined {
    try {
      const found = this.#database
        .query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)")
        .get()?.integrity_check;
      return found === "ok" ? undefined : (found ?? "it cannot be checked");
    } catch (error) {
      return (error as Error).message;
    }
  }

  close(): void {
    this.#database.close();
  }

  #try<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      throw new UnreadableFile(`cannot read ${this.#path}: ${(error as Error).message}`, { cause: error });
    }
  }

  #tryRow(sql: string, keys: Key[]): object | null {
    try {
      return this.#database.query<object, Key[]>(sql).get(...keys);
    } catch (error) {
      throw new DamagedBlob(`a blob cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }
}

function opened(path: string, isWritten: boolean): Database {
  const database = isWritten ? new Database(path, { readonly: true }) : unchanging(path);
  try {
    database.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    database.run(`PRAGMA cache_size = -${cacheKib}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A file that nobody changes: SQLite uses neither locks nor a log (https://www.sqlite.org/uri.html#uriimmutable). */
function unchanging(path: string): Database {
  const uri = `${Bun.pathToFileURL(path).href}?immutable=1`;
  return new Database(uri, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
}
