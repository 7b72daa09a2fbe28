import { createHash } from "node:crypto";
import type { DatabaseUpdate, UpdatesConfig } from "../../config/config.ts";
import { reasonText } from "../../http/reason-text.ts";
import { hideSecrets } from "../../text/hide-secrets.ts";
import { DatabaseError } from "../database-error.ts";
import { loadDatabase } from "../database-role.ts";
import { answerError } from "./answer-error.ts";
import { assertChecksum } from "./checksum.ts";
import { type DownloadTarget, downloadTargets } from "./download-targets.ts";
import { linkTarget } from "./link-target.ts";
import { openDownload } from "./open-download.ts";
import { StallWatch } from "./stall-watch.ts";
import { hashOfUrl, prepareOrigin, readStoredOrigin, type StoredOrigin } from "./stored-origin.ts";
import { TemporaryFile } from "./temporary-file.ts";
import { unpackDatabase } from "./unpack-database.ts";
import { UpdateError } from "./update-error.ts";

export interface UpdateProgress {
  readonly receivedBytes: number;
  /** undefined: the server does not say. */
  readonly totalBytes: number | undefined;
}

export interface UpdateOptions {
  readonly update: DatabaseUpdate;
  readonly servers: Pick<UpdatesConfig, "maxmindUrl" | "dbipUrl" | "maxmindAccount">;
  /** Ends the update. */
  readonly signal: AbortSignal;
  /** Called when the download begins, and for each chunk of it. */
  readonly onProgress?: (progress: UpdateProgress) => void;
  readonly now?: () => number;
  /** How long the server may take for 64 KiB, and for each answer. */
  readonly maxStallMs?: number;
  /** The largest download, and the largest database that it may decompress to. */
  readonly maxBytes?: number;
}

/** "current": there is nothing newer. "older": the server has an older database of the same type; it is not used. */
export interface UpdateOutcome {
  readonly kind: "updated" | "current" | "older";
  /** Of the database that is in place. */
  readonly type: string;
  readonly builtAt: number;
}

const defaultMaxStallMs = 60_000;
/** The largest databases on the market, which are not free, have about 1 GB. */
const defaultMaxBytes = 2 ** 30;

/**
 * Downloads a database if there is a newer one, checks it, and puts it in the place of the present one with a rename. If
 * anything is wrong with it, the present one stays. Several processes may do this at the same time.
 *
 * @throws UpdateError; its message contains no secrets
 */
export async function updateDatabase(options: UpdateOptions): Promise<UpdateOutcome> {
  const { update, servers, now = Date.now } = options;
  const targets = downloadTargets(update.source, servers, new Date(now()));
  // A rename would replace a symbolic link, and not the file that it leads to.
  const path = await linkTarget(update.path);
  const stored = await readStoredOrigin(path);
  for (const target of targets) {
    const isLast = target === targets.at(-1);
    const outcome = await new TargetDownload(options, target, path, stored).run(isLast);
    if (outcome) return outcome;
  }
  throw new Error("BUG: there is no target, or the last one is missing");
}

/** The download of a database from one address. */
class TargetDownload {
  readonly #options: UpdateOptions;
  readonly #target: DownloadTarget;
  readonly #path: string;
  readonly #stored: StoredOrigin | undefined;
  /** Whether the present database is from the same address. */
  readonly #isSameUrl: boolean;
  readonly #hash = createHash("sha256");

  constructor(
    options: UpdateOptions,
    target: DownloadTarget,
    path: string,
    stored: StoredOrigin | undefined,
  ) {
    this.#options = options;
    this.#target = target;
    this.#path = path;
    this.#stored = stored;
    this.#isSameUrl = stored?.urlHash === hashOfUrl(target.url);
  }

  /** @returns undefined if there is no such file and this is not the last target */
  async run(isLast: boolean): Promise<UpdateOutcome | undefined> {
    const { signal, maxStallMs = defaultMaxStallMs } = this.#options;
    if (this.#target.isFixed && this.#isSameUrl) return this.#noteCurrent();
    using watch = new StallWatch(maxStallMs, signal);
    try {
      const response = await openDownload({ ...this.#target, headers: this.#conditions() }, watch.signal);
      if (response.status === 304 && this.#isSameUrl) return await this.#noteCurrent();
      if (response.status === 200) return await this.#receive(response, watch);
      await response.body?.cancel();
      if (response.status === 404 && !isLast) return undefined;
      throw answerError(response, this.#options.update.source, this.#now());
    } catch (error) {
      throw this.#describe(error, watch.signal);
    }
  }

  async #receive(response: Response, watch: StallWatch): Promise<UpdateOutcome> {
    const { maxBytes = defaultMaxBytes } = this.#options;
    await using file = await TemporaryFile.create(this.#path);
    for await (const chunk of unpackDatabase(this.#chunksOf(response, watch, maxBytes), maxBytes))
      await file.write(chunk);
    watch.restart();
    await assertChecksum(this.#target, this.#hash.digest("hex"), watch.signal);
    const next = await this.#check(file.path, response);
    const present = await this.#present();
    if (present?.type === next.type && next.builtAt < present.builtAt) return { kind: "older", ...present };
    this.#options.signal.throwIfAborted();
    const isSame = present?.type === next.type && next.builtAt === present.builtAt;
    // Written before the database is replaced, so that a disk that is full now leaves everything as it was.
    await using originFile = await prepareOrigin(this.#path, file.path, {
      urlHash: hashOfUrl(this.#target.url),
      etag: response.headers.get("etag") ?? undefined,
      lastModified: response.headers.get("last-modified") ?? undefined,
      checkedAt: this.#now(),
      ...next,
    });
    await file.replaceTarget();
    await originFile.replaceTarget();
    return { kind: isSame ? "current" : "updated", ...next };
  }

  async *#chunksOf(response: Response, watch: StallWatch, maxBytes: number): AsyncGenerator<Uint8Array> {
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const totalBytes = length > 0 ? length : undefined;
    const note = (receivedBytes: number) => this.#options.onProgress?.({ receivedBytes, totalBytes });
    let receivedBytes = 0;
    note(0);
    try {
      for await (const chunk of response.body ?? []) {
        receivedBytes += chunk.length;
        if (receivedBytes > maxBytes) throw new UpdateError(`it has more than ${maxBytes} bytes`);
        watch.noteBytes(chunk.length);
        this.#hash.update(chunk);
        note(receivedBytes);
        yield chunk;
      }
    } catch (error) {
      watch.signal.throwIfAborted();
      if (error instanceof UpdateError) throw error;
      throw new UpdateError(`the download was cut off after ${receivedBytes} bytes`, { cause: error });
    }
  }

  /** @throws UpdateError if the database cannot be used */
  async #check(path: string, { headers }: Response): Promise<{ type: string; builtAt: number }> {
    try {
      const { reader } = await loadDatabase(this.#options.update.role, path);
      return { type: reader.type, builtAt: reader.buildTime.getTime() };
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const contentType = reasonText(headers.get("content-type") ?? "not set");
      throw new UpdateError(
        `the downloaded file cannot be used: ${error.message} (its Content-Type is ${contentType})`,
        { cause: error },
      );
    }
  }

  /** The present database; undefined: there is none, or it cannot be used. */
  async #present(): Promise<{ type: string; builtAt: number } | undefined> {
    if (this.#stored) return { type: this.#stored.type, builtAt: this.#stored.builtAt };
    try {
      const { reader } = await loadDatabase(this.#options.update.role, this.#path);
      return { type: reader.type, builtAt: reader.buildTime.getTime() };
    } catch (error) {
      if (error instanceof DatabaseError) return undefined;
      throw error;
    }
  }

  async #noteCurrent(): Promise<UpdateOutcome> {
    if (!this.#stored) throw new Error("BUG: the present database is the newest one, but is not known");
    const origin = { ...this.#stored, checkedAt: this.#now() };
    await using originFile = await prepareOrigin(this.#path, this.#path, origin);
    await originFile.replaceTarget();
    return { kind: "current", type: this.#stored.type, builtAt: this.#stored.builtAt };
  }

  #conditions(): Record<string, string> {
    const { etag, lastModified } = (this.#isSameUrl && this.#stored) || {};
    return {
      ...(etag !== undefined && { "if-none-match": etag }),
      ...(lastModified !== undefined && { "if-modified-since": lastModified }),
    };
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #describe(error: unknown, signal: AbortSignal): Error {
    if (this.#options.signal.aborted) return new UpdateError("the update was stopped", { cause: error });
    const cause = signal.aborted ? signal.reason : error;
    // Anything else is a defect.
    if (!(cause instanceof UpdateError)) return cause;
    const { retryAfterMs } = cause;
    return new UpdateError(hideSecrets(cause.message, this.#target.secrets), { cause, retryAfterMs });
  }
}
