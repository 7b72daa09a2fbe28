import { setImmediate } from "node:timers/promises";
import type { Progress, QueryOptions } from "../../history/history-reader.ts";
import type { Steps } from "./answer-context.ts";
import { OpenFiles } from "./open-files.ts";
import { answerSteps, type StoreAnswer, type StoreAnswers, type StoreQuery } from "./store-query.ts";

export const defaultDeadlineMs = 5_000;
/** How long a query computes before it lets other tasks run: it may be cancelled by one of them. */
const turnMs = 10;
/** Files that are not written stay open for a while, because the next query often follows soon. */
const openFilesMs = 2_000;

export interface QueryEngineOptions {
  /** Milliseconds of a clock that is never set; default performance.now. */
  readonly now?: () => number;
  /** Told how long it has computed, after each turn. */
  readonly onTurn?: (ms: number) => void;
}

/** Answers queries about a store in this thread, one at a time. Nothing is written, and no writer is needed. */
export class QueryEngine {
  readonly #dir: string;
  readonly #files: OpenFiles;
  readonly #now: () => number;
  readonly #onTurn: (ms: number) => void;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(dir: string, { now = () => performance.now(), onTurn = () => {} }: QueryEngineOptions = {}) {
    this.#dir = dir;
    this.#files = new OpenFiles(dir);
    this.#now = now;
    this.#onTurn = onTurn;
  }

  /**
   * @param query must not be passed before the answer to the one before
   * @throws RangeError, WrongCursor; the reason of the signal
   */
  async answer<Kind extends StoreQuery["kind"]>(
    query: StoreQuery & { readonly kind: Kind },
    { signal, deadlineMs = defaultDeadlineMs, onProgress }: QueryOptions = {},
  ): Promise<StoreAnswers[Kind]> {
    clearTimeout(this.#closeTimer);
    const deadline = this.#now() + deadlineMs;
    const steps = answerSteps(
      { dir: this.#dir, files: this.#files, isPast: () => this.#now() >= deadline },
      query,
    );
    try {
      for (;;) {
        signal?.throwIfAborted();
        const step = this.#turn(steps);
        // The kind of the answer is that of the query.
        if (step.done) return step.value as StoreAnswers[Kind];
        onProgress?.(step.value);
        await setImmediate();
      }
    } finally {
      this.#files.closeWritten();
      this.#closeTimer = setTimeout(() => this.#files.close(), openFilesMs);
      this.#closeTimer.unref();
    }
  }

  close(): void {
    clearTimeout(this.#closeTimer);
    this.#files.close();
  }

  /** Computes for a while, or until the end. */
  #turn(steps: Steps<StoreAnswer>): IteratorResult<Progress, StoreAnswer> {
    const start = this.#now();
    try {
      for (;;) {
        const step = steps.next();
        if (step.done || this.#now() - start >= turnMs) return step;
      }
    } finally {
      this.#onTurn(this.#now() - start);
    }
  }
}
