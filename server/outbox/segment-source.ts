import { basename } from "node:path";
import { errorText, type FileLayer, isMissing, type OutboxFile, readFully } from "./file-layer.ts";
import type { Segment } from "./segment.ts";

export interface SegmentSourceOptions {
  readonly files: FileLayer;
  /**
   * Whether the directory still is the one of this outbox. If not, its segments are elsewhere, and none of them counts as
   * missing.
   * @param missing the path of the segment that was not found
   */
  readonly isDirectoryInPlace: (missing: string) => Promise<boolean>;
  /** Bytes of the segment are read as zeros from now on. */
  readonly onUnreadable: (segment: Segment, reason: string) => void;
}

/** After this many failed attempts a page is read as zeros, so that the events behind it are delivered. */
const maxAttempts = 5;
/** What a disk or a file system fails to read is a multiple of this size. */
const pageBytes = 4096;
/** Errors after which the bytes of the file may still be intact: the process lacks something. They are retried without a limit. */
const passingErrors = new Set([
  "EACCES",
  "EPERM",
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "EAGAIN",
  "EINTR",
  "ECANCELED",
]);

/**
 * Reads the bytes of segment files, one call at a time. What cannot be read, because somebody removed or truncated the file
 * or because the disk fails again and again, is read as zeros, which are not a frame: the caller skips it like other damage.
 */
export class SegmentSource {
  readonly #options: SegmentSourceOptions;
  #open: { readonly path: string; readonly file: OutboxFile } | undefined;
  /** Failed attempts by the number of the page; `wholeFile` if the file cannot be opened. */
  readonly #failures = new WeakMap<Segment, Map<number, number>>();

  constructor(options: SegmentSourceOptions) {
    this.#options = options;
  }

  /**
   * The bytes from `offset` on, in a buffer of their own.
   * @throws Error if the disk cannot be read, and a later attempt may succeed
   */
  async read(segment: Segment, offset: number, length: number): Promise<Buffer> {
    // Documents that were handed out share this memory, so it is not used again.
    const target = Buffer.allocUnsafeSlow(length);
    const file = await this.#openFile(segment);
    if (!file) return target.fill(0);
    let count = 0;
    try {
      count = await readFully(file, target, offset);
    } catch (error) {
      throwIfPassing(error);
      count = await this.#readPages(segment, file, target, offset);
    }
    if (count < length) this.#options.onUnreadable(segment, "the file was truncated");
    target.fill(0, count);
    return target;
  }

  async close(): Promise<void> {
    const file = this.#open?.file;
    this.#open = undefined;
    // Nothing was written, so an error changes nothing.
    await file?.close().catch(() => {});
  }

  /** @returns undefined if the file is missing, or could not be opened in any attempt */
  async #openFile(segment: Segment): Promise<OutboxFile | undefined> {
    const { files, isDirectoryInPlace, onUnreadable } = this.#options;
    const { path } = segment;
    if (this.#open?.path === path) return this.#open.file;
    await this.close();
    try {
      const file = await files.open(path, "read");
      this.#open = { path, file };
      return file;
    } catch (error) {
      throwIfPassing(error);
      const isGone = isMissing(error);
      if (isGone && !(await isDirectoryInPlace(path)))
        throw new Error(`${basename(path)} and the directory that it was in are missing`, { cause: error });
      if (!isGone && this.#failed(segment, wholeFile) < maxAttempts) throw error;
      onUnreadable(segment, isGone ? "the file is missing" : errorText(error));
      return undefined;
    }
  }

  /**
   * Reads page by page. A page that failed too often becomes zeros.
   * @returns the number of bytes before the end of the file
   * @throws the first error of a page that did not fail often enough
   */
  async #readPages(segment: Segment, file: OutboxFile, target: Buffer, offset: number): Promise<number> {
    let firstError: unknown;
    let unreadable: unknown;
    let count = 0;
    for (let start = 0; start < target.length; ) {
      const page = Math.floor((offset + start) / pageBytes);
      const end = Math.min((page + 1) * pageBytes - offset, target.length);
      const bytes = target.subarray(start, end);
      try {
        count = start + (await readFully(file, bytes, offset + start));
        if (count < end) break;
      } catch (error) {
        throwIfPassing(error);
        if (this.#failed(segment, page) < maxAttempts) firstError ??= error;
        unreadable ??= error;
        bytes.fill(0);
        count = end;
      }
      start = end;
    }
    // The next attempt opens the file again: on a network file system, only the open file may be unusable.
    if (unreadable) await this.close();
    if (firstError) throw firstError;
    if (unreadable) this.#options.onUnreadable(segment, errorText(unreadable));
    return count;
  }

  /** @returns the number of failed attempts, this one included */
  #failed(segment: Segment, page: number): number {
    const failures = this.#failures.get(segment) ?? new Map<number, number>();
    this.#failures.set(segment, failures);
    const attempts = (failures.get(page) ?? 0) + 1;
    failures.set(page, attempts);
    return attempts;
  }
}

/** The place of a failed attempt to open the file. */
const wholeFile = -1;

function throwIfPassing(error: unknown): void {
  const code = codeOf(error);
  if (code === undefined || passingErrors.has(code)) throw error;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
