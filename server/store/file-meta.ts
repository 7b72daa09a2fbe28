import type { Database } from "bun:sqlite";
import { storeFormat } from "./schema.ts";

/** The last event that is stored. */
export interface StorePosition {
  /** The id of the outbox that it is from; "" before the first event. */
  readonly outboxId: string;
  readonly sequence: number;
}

/** The structure of a file is damaged, so that nothing can be written to it. */
export class DamagedFile extends Error {
  override readonly name = "DamagedFile";
}

/** A newer Loom wrote the file. */
export class NewerFile extends Error {
  override readonly name = "NewerFile";
  constructor(
    readonly format: number,
    readFormat = storeFormat,
  ) {
    super(`it has format ${format}; this Loom reads format ${readFormat}`);
  }
}

/** @throws DamagedFile, NewerFile */
export function readPosition(database: Database): StorePosition {
  const rows = database.query<{ k: string; v: unknown }, []>("SELECT k, v FROM meta").all();
  const values = new Map(rows.map(({ k, v }) => [k, v]));
  const format = values.get("format");
  if (typeof format === "number" && Number.isSafeInteger(format) && format > storeFormat)
    throw new NewerFile(format);
  if (format !== storeFormat) throw new DamagedFile("it does not say which format it has");
  const outboxId = values.get("outbox") ?? "";
  const sequence = values.get("sequence") ?? 0;
  if (typeof outboxId !== "string" || typeof sequence !== "number" || !Number.isSafeInteger(sequence))
    throw new DamagedFile("its position in the outbox is unreadable");
  return { outboxId, sequence };
}

export function writePosition(database: Database, { outboxId, sequence }: StorePosition): void {
  const write = database.query("INSERT INTO meta VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v");
  write.run("outbox", outboxId);
  write.run("sequence", sequence);
}

/** Notes that the rows of a new file are imported. */
export function markImported(database: Database): void {
  database.run("INSERT INTO meta VALUES ('imported', 1)");
}

export function isImported(database: Database): boolean {
  return database.query("SELECT 1 FROM meta WHERE k = 'imported'").get() !== null;
}
