import type { Log } from "../telemetry/log.ts";
import type { FileLayer } from "./file-layer.ts";

export interface DirectoryWatchOptions {
  readonly dir: string;
  readonly files: Pick<FileLayer, "identify">;
  readonly log: Log;
  /** Whether the active segment's name still belongs to the file that is appended to. */
  readonly isActiveInPlace: () => Promise<boolean>;
  /** Batches must not be kept from now on, until `problem` is undefined again. */
  readonly onProblem: (problem: string) => void;
  /** The active segment was removed or replaced, and the directory was not. */
  readonly onSegmentGone: () => void;
}

const checkIntervalMs = 500;

/**
 * Notices that somebody removed, renamed or replaced the directory or the active segment: what is appended then is lost at
 * the next start, although every write succeeds. A timer looks at the names, so that appending costs nothing.
 */
export class DirectoryWatch {
  readonly #options: DirectoryWatchOptions;
  #identity: string | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #checking: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(options: DirectoryWatchOptions) {
    this.#options = options;
  }

  /** Why batches must not be kept; undefined: the directory is the one that was opened. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async start(): Promise<void> {
    const { dir, files } = this.#options;
    // A directory that cannot be examined now is examined at the next check.
    this.#identity = await files.identify(dir).catch(() => undefined);
    this.#timer = setInterval(() => void this.check(), checkIntervalMs);
    this.#timer.unref();
  }

  /** Looks at the names now, or joins a check that is under way. */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    const { dir, files, isActiveInPlace, onSegmentGone } = this.#options;
    try {
      if (await isActiveInPlace()) return this.#report(undefined);
      const identity = await files.identify(dir);
      this.#identity ??= identity;
      if (identity === undefined) return this.#report(`outbox: the directory ${dir} was removed`);
      if (identity !== this.#identity) return this.#report(`outbox: the directory ${dir} was replaced`);
      this.#report(undefined);
      onSegmentGone();
    } catch {
      // The name cannot be examined, which says nothing about it. A disk that fails is noticed by the next write.
    }
  }

  #report(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    const { dir, log, onProblem } = this.#options;
    if (problem === undefined) {
      log.info("the outbox directory is back; batches are accepted", { dir });
      return;
    }
    log.error(
      "batches are refused; put the same directory back, or restart Loom, which continues with what is there",
      { dir, reason: problem },
    );
    onProblem(problem);
  }
}
