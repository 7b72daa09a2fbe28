import { UpdateError } from "./update-error.ts";

/** Fewer bytes within the time count as a stall, so that a server that sends single bytes does not last forever. */
const minBytes = 64 * 1024;

/** Ends a download that makes no progress. A slow one may take as long as it needs. */
export class StallWatch {
  /** Aborted after a stall, and when `stop` is. */
  readonly signal: AbortSignal;
  readonly #timer: ReturnType<typeof setTimeout>;
  #bytes = 0;

  /** @param maxStallMs how long 64 KiB may take, and each answer */
  constructor(maxStallMs: number, stop: AbortSignal) {
    const controller = new AbortController();
    this.signal = AbortSignal.any([stop, controller.signal]);
    this.#timer = setTimeout(() => {
      controller.abort(new UpdateError(`the server sent less than 64 KiB within ${maxStallMs / 1000} s`));
    }, maxStallMs);
  }

  /** To be called for the bytes that arrive. */
  noteBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes >= minBytes) this.restart();
  }

  /** Gives the server its whole time again. */
  restart(): void {
    this.#bytes = 0;
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
