import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { readBoundedFile } from "../../bounded-file.ts";
import { TemporaryFile } from "./temporary-file.ts";

/** Where a database file is from, which is stored beside it. It holds no secrets. */
export interface StoredOrigin {
  /** The SHA-256 sum of the URL, because that may contain a secret. */
  readonly urlHash: string;
  /** Headers of the answer, for the next request. */
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** When it was last known to be the newest one. Milliseconds since the epoch. */
  readonly checkedAt: number;
  /** Of the database: "GeoLite2-City". */
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly builtAt: number;
}

const maxOriginBytes = 16 * 1024;

/** Reads where a database file is from. @returns undefined if that is unknown, or the file was replaced by something else */
export async function readStoredOrigin(databasePath: string): Promise<StoredOrigin | undefined> {
  try {
    const path = await realpath(databasePath);
    const { bytes } = await readBoundedFile(originPath(path), maxOriginBytes);
    const stored: unknown = JSON.parse(Buffer.from(bytes).toString());
    return isOrigin(stored) && stored.file === (await identityOf(path)) ? stored : undefined;
  } catch {
    // Whatever is wrong with the file: the database is downloaded again, and then the file is written again.
    return undefined;
  }
}

/**
 * Writes where a database is from into a temporary file, which is to replace the stored origin when the database is in place.
 * @param databasePath not a symbolic link
 * @param contentPath the file that is or will be renamed to `databasePath`; a rename does not change its size and times
 * @throws UpdateError
 */
export async function prepareOrigin(
  databasePath: string,
  contentPath: string,
  origin: StoredOrigin,
): Promise<TemporaryFile> {
  const file = await TemporaryFile.create(originPath(databasePath));
  try {
    const stored = { ...origin, file: await identityOf(contentPath) };
    await file.write(Buffer.from(`${JSON.stringify(stored)}\n`));
    return file;
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

export function hashOfUrl(url: string): string {
  return createHash("sha256").update(url).digest("hex");
}

function originPath(databasePath: string): string {
  return `${databasePath}.origin.json`;
}

/** Changes when the file is replaced. */
async function identityOf(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${size}:${mtimeMs}`;
}

function isOrigin(stored: unknown): stored is StoredOrigin & { readonly file: unknown } {
  if (typeof stored !== "object" || stored === null) return false;
  const { urlHash, etag, lastModified, checkedAt, type, builtAt } = stored as Record<string, unknown>;
  const isOptionalText = (value: unknown) => value === undefined || typeof value === "string";
  return (
    [urlHash, type].every((value) => typeof value === "string") &&
    [etag, lastModified].every(isOptionalText) &&
    [checkedAt, builtAt].every(Number.isFinite)
  );
}
